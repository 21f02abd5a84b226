# SPDX-License-Identifier: GPL-2.0-or-later
# Memory that the host holds for the guest, all variants over each other.
# Given: nr, arrays file and label of that length, heading, text. Variants that
# run alike cover each other, so earlier lines are broader.
set xlabel 'virtual time [s]'
set yrange [0:*]
set xrange [0:*]
set autoscale xfixmax
if (text) {
	set ylabel 'GiB'
	set xlabel 'virtual time [s]; resident on the host'
	set key off
	letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
	letter(i) = letters[1 + (i - 1) % 26 : 1 + (i - 1) % 26]
	plot for [i = 1:nr] file[i] using 1:4 with points \
	     pointtype letter(i) linecolor rgb 'black'
} else {
	set title heading offset 0, 1.2
	set ylabel 'resident on the host [GiB]'
	set tics out nomirror
	set grid ytics linetype 1 linecolor rgb 'gray85'
	set border 3
	set tmargin 6
	set bmargin 5 + (nr + 2) / 3
	set key bottom center outside horizontal reverse Left
	colours = '#000000 #56b4e9 #d55e00 #009e73 #cc79a7 #e69f00 #0072b2'
	colour(i) = word(colours, 1 + (i - 1) % words(colours))
	plot for [i = 1:nr] file[i] using 1:4 with linespoints \
	     linecolor rgb colour(i) linewidth 1.8 + 1.1 * (nr - i) \
	     pointtype 4 + (i - 1) % 10 pointsize 1.1 pointnumber 12 + 3 * i \
	     title label[i]
}
