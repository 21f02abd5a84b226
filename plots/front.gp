# SPDX-License-Identifier: GPL-2.0-or-later
# Two objectives of points that were tried: those that no other beats, joined,
# with their intervals over seeds, and the others. Given: data, heading, across,
# up. Columns: point, front, x, its interval, y, its interval, seeds,
# label: of several points at nearly one place the first has it.
set title heading
set xlabel across
set ylabel up
set tics out nomirror
set grid linetype 1 linecolor rgb 'gray90'
set border 3
set key at screen 0.5, 0.04 center vertical maxrows 1 samplen 2
set bmargin 5
set rmargin 5
set offsets graph 0.03, graph 0.12, graph 0.06, graph 0.03
# A range of nothing is widened without a warning.
stats data using 3 every ::1 nooutput name 'X'
stats data using 6 every ::1 nooutput name 'Y'
if (X_max == X_min) { set xrange [X_min - 1:X_max + 1] }
if (Y_max == Y_min) { set yrange [Y_min - 1:Y_max + 1] }
front(v) = column(2) > 0 ? v : NaN
other(v) = column(2) > 0 ? NaN : v
plot data using (other($3)):(other($6)) every ::1 with points pointtype 6 \
         pointsize 0.6 linecolor rgb 'gray60' title 'tried, and beaten', \
     data using (front($3)):(front($6)) every ::1 with lines dashtype 2 linewidth 2 \
         linecolor rgb '#009e73' notitle, \
     data using (front($3)):(front($6)):(front($4)):(front($5)) \
         :(front($7)):(front($8)) every ::1 with xyerrorbars pointtype 7 \
         pointsize 0.8 linecolor rgb '#0072b2' \
         title 'front, with intervals', \
     data using (front($3)):(front($6)):10 every ::1 with labels offset 0.8, 0.6 left \
         font ',9' notitle
