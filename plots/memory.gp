# SPDX-License-Identifier: GPL-2.0-or-later
# Memory over virtual time, one variant: what the guest uses, what is free in
# it, and what the host holds for it. Given: data, heading, text.
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
	set tmargin 6
	set bmargin 6
	set key bottom center outside horizontal reverse Left
	plot data using 1:3 with filledcurves y1=0 linecolor rgb '#c8d9e6' \
	         title 'used in the guest', \
	     data using 1:2 with lines linecolor rgb '#009e73' linewidth 2 \
	         dashtype '.-' title 'free in the guest', \
	     data using 1:4 with linespoints linecolor rgb '#b3470c' \
	         linewidth 3 pointtype 6 pointsize 0.8 pointnumber 24 \
	         title 'resident on the host'
}
