# SPDX-License-Identifier: GPL-2.0-or-later
# GiB x minutes that the host held, a bar for each variant and point, with the
# largest and smallest seed. Given: data, heading, nr, names as xtics.
set title heading
set ylabel 'GiB x minutes'
set yrange [0:*]
set xrange [-0.6:nr - 0.4]
set tics out nomirror
set xtics scale 0
if (nr > 4) { set xtics rotate by 30 right; set bmargin 9 }
if (nr > 8) { set xtics rotate by 90 right font ',9'; set bmargin 14 }
if (nr > 40) { set xtics font ',5' }
set grid ytics linetype 1 linecolor rgb 'gray85'
set border 3
set key off
set style fill solid 0.9 border linecolor rgb 'black'
plot data using 0:2:3:4:(0.6) every ::1 with boxerrorbars linecolor rgb '#56b4e9'
