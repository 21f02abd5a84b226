# SPDX-License-Identifier: GPL-2.0-or-later
# The host's huge pages behind the guests, against what is in the balloon and
# what the host wants there. Given: data, heading, text.
set yrange [0:*]
set xrange [0:*]
set autoscale xfixmax
if (text) {
	set ylabel 'GiB'
	set xlabel 'virtual time [s]; * AnonHugePages, # in the balloon'
	set key off
	plot data using 1:6 with lines linetype 1, \
	     data using 1:7 with lines linetype 2
} else {
	set title heading offset 0, 1.2
	set xlabel 'virtual time [s]'
	set ylabel 'memory [GiB]'
	set tics out nomirror
	set grid ytics linetype 1 linecolor rgb 'gray85'
	set border 3
	set tmargin 6
	set bmargin 6
	set key bottom center outside horizontal reverse Left
	plot data using 1:7 with filledcurves y1=0 linecolor rgb '#c8d9e6' \
	         title 'in the balloon', \
	     data using 1:8 with steps linecolor rgb '#0072b2' linewidth 2 \
	         dashtype '-' title 'balloon target', \
	     data using 1:4 with lines linecolor rgb '#e69f00' linewidth 2 \
	         dashtype '.-' title 'resident on the host', \
	     data using 1:6 with linespoints linecolor rgb '#b3470c' \
	         linewidth 3 pointtype 6 pointsize 0.8 pointnumber 24 \
	         title 'AnonHugePages of the host'
}
