# SPDX-License-Identifier: GPL-2.0-or-later
# A line for each variant over points that have names. Given: data, heading,
# across, upward, nr variants, logarithmic (0 is not drawn then), the names of the
# points as xtics.
set title heading
set xlabel across
set ylabel upward
if (logarithmic) { set logscale y; set yrange [*:100]; set format y '%g' } else { set yrange [0:*] }
set tics out nomirror
set grid ytics linetype 1 linecolor rgb 'gray85'
set border 3
set offsets 0.3, 0.3, graph 0.05, 0
set bmargin 6 + (nr + 2) / 3
set key bottom center outside horizontal reverse Left autotitle columnheader
colours = '#000000 #56b4e9 #d55e00 #009e73 #cc79a7 #e69f00 #0072b2'
colour(i) = word(colours, 1 + (i - 1) % words(colours))
plot for [i = 1:nr] data using 0:i + 1 with linespoints \
     linecolor rgb colour(i) linewidth 1.4 + 0.9 * (nr - i) \
     pointtype 4 + (i - 1) % 10 pointsize 1.1
