# SPDX-License-Identifier: GPL-2.0-or-later
# Memory over virtual time, one variant: what the guests use, what is free in
# them, and what the host holds for them; below, what is really free on the
# host, which has a scale of its own. Given: data, heading, text.
set xlabel 'virtual time [s]'
set yrange [0:*]
set xrange [0:*]
set autoscale xfixmax
if (text) {
	set ylabel 'GiB'
	set xlabel 'virtual time [s]; * used in the guest, # resident on host'
	set key off
	plot data using 1:3 with lines linetype 1, \
	     data using 1:4 with lines linetype 2
} else {
	set title heading offset 0, 1.2
	set ylabel 'memory [GiB]'
	set tics out nomirror
	set grid ytics linetype 1 linecolor rgb 'gray85'
	set border 3
	set lmargin 10
	set rmargin 3
	set multiplot
	set tmargin at screen 0.76
	set bmargin at screen 0.42
	set format x ''
	unset xlabel
	set key at screen 0.5, screen 0.02 bottom center horizontal reverse \
	    Left maxrows 2
	plot data using 1:3 with filledcurves y1=0 linecolor rgb '#c8d9e6' \
	         title 'used in the guest', \
	     data using 1:2 with lines linecolor rgb '#009e73' linewidth 2 \
	         dashtype '.-' title 'free in the guest', \
	     data using 1:4 with linespoints linecolor rgb '#b3470c' \
	         linewidth 3 pointtype 6 pointsize 0.8 pointnumber 24 \
	         title 'resident on the host', \
	     NaN with lines linecolor rgb '#0072b2' linewidth 2 \
	         title 'really free on the host'
	unset title
	unset x2tics
	unset key
	set format x '%g'
	set xlabel 'virtual time [s]' offset 0, 0.5
	set ylabel 'free [GiB]'
	set tmargin at screen 0.36
	set bmargin at screen 0.24
	stats data using 5 nooutput
	most = STATS_max > 0 ? STATS_max : 1
	set yrange [0:most * 1.05]
	ten = 10.0 ** floor(log10(most))
	set ytics most < 1.5 * ten ? ten / 2 : most < 3 * ten ? ten : \
	          most < 6 * ten ? 2 * ten : 5 * ten
	plot data using 1:5 with lines linecolor rgb '#0072b2' linewidth 2
	unset multiplot
}
