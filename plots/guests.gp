# SPDX-License-Identifier: GPL-2.0-or-later
# What the host holds for each of several guests, on top of each other. Given:
# data, nr (of guests that ran), heading, text. Column 8 + i is the sum of the
# guests 1 to i.
set yrange [0:*]
set xrange [0:*]
set autoscale xfixmax
if (text) {
	set ylabel 'GiB'
	set xlabel 'virtual time [s]; guests 1, 1 and 2, ... resident on host'
	set key off
	letters = '123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
	letter(i) = letters[1 + (i - 1) % 35 : 1 + (i - 1) % 35]
	plot for [i = nr:1:-1] data using 1:(column(8 + i)) with points \
	     pointtype letter(i) linecolor rgb 'black'
} else {
	set title heading offset 0, 1.2
	set xlabel 'virtual time [s]'
	set ylabel 'resident on the host [GiB]'
	set tics out nomirror
	set grid ytics linetype 1 linecolor rgb 'gray85'
	set border 3
	set tmargin 6
	set key outside right center vertical reverse Left invert \
	    title 'guest' maxrows 20
	colours = '#4477aa #66ccee #228833 #ccbb44 #ee6677 #aa3377 #bbbbbb'
	colour(i) = word(colours, 1 + (i - 1) % words(colours))
	# All that guests can have, if it is of the same size.
	stats data using 4 nooutput
	most = STATS_max
	stats data using ($4 + $5) nooutput
	limit = STATS_max <= 2.5 * most ? 1 : 0
	below(i) = i > 1 ? column(7 + i) : 0
	plot for [i = 1:nr] data using 1:(below(i)):(column(8 + i)) \
	     with filledcurves linecolor rgb colour(i) title sprintf('%d', i), \
	     for [i = 1:nr] data using 1:(column(8 + i)) with lines \
	     linecolor rgb 'white' linewidth 0.7 notitle, \
	     data using 1:(limit ? $4 + $5 : NaN) with lines \
	     linecolor rgb 'black' linewidth 2 dashtype '-' \
	     title limit ? 'limit' : ''
}
