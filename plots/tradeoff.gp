# SPDX-License-Identifier: GPL-2.0-or-later
# Memory against throughput: a point for each variant; a line through those that
# no other is better than in both. Given: data, heading, subject.
set title heading
set xlabel 'memory held by the host [GiB x minutes], less is better'
set ylabel subject
set tics out nomirror
set grid linetype 1 linecolor rgb 'gray90'
set border 3
set key bottom right
set offsets graph 0.08, graph 0.22, graph 0.1, graph 0.1
set xzeroaxis linetype 1 linecolor rgb 'gray60'
# A range of nothing is widened without a warning.
stats data using 1 every ::1 nooutput name 'X'
stats data using 2 every ::1 nooutput name 'Y'
if (X_max == X_min) { set xrange [X_min * 0.9 - 1e-6:X_max * 1.1 + 1e-6] }
if (Y_max == Y_min) { set yrange [Y_min - 1:Y_max + 1] }
# Names below their points: the front goes up to the right.
plot data using ($3 > 0 ? $1 : NaN):2 with lines linecolor rgb '#009e73' \
         dashtype 2 linewidth 2 title 'Pareto front', \
     data using 1:2 with points pointtype 7 pointsize 1.2 \
         linecolor rgb '#0072b2' notitle, \
     data using 1:2:5 with labels offset 0.8, -0.7 left font ',10' notitle
