# SPDX-License-Identifier: GPL-2.0-or-later
# Iterations per second against the reference variant, bars with the largest
# and smallest seed. Given: data, heading, subject, nr variants, and the names
# of the points as xtics. Columns of the data: point, then mean, lowest and
# highest change of each variant in percent.
set title heading
set ylabel subject
set style data histogram
set style histogram errorbars gap 2 linewidth 1.5
set style fill pattern border linecolor rgb 'black'
set boxwidth 0.9
set tics out nomirror
set xtics scale 0
set grid ytics linetype 1 linecolor rgb 'gray85'
set border 2
set xzeroaxis linetype 1 linecolor rgb 'black' linewidth 1.5
set bmargin 5 + (nr + 2) / 3
set key bottom center outside horizontal reverse Left autotitle columnheader
set offsets 0, 0, graph 0.08, graph 0.08
colours = '#56b4e9 #d55e00 #009e73 #cc79a7 #e69f00 #0072b2'
colour(i) = word(colours, 1 + (i - 1) % words(colours))
plot for [i = 1:nr] data using 3 * i - 1:3 * i:3 * i + 1 \
     linecolor rgb colour(i) fillstyle pattern 1 + (i - 1) % 7
