# SPDX-License-Identifier: GPL-2.0-or-later
# Published values and predictions, a row each, with published spread and
# predicted interval. Given: data, heading, across, nr rows. Columns: row,
# published, spread, predicted, low, high.
set title heading
set xlabel across
set yrange [nr - 0.4:-0.6]
set tics out nomirror
set ytics scale 0
set grid xtics linetype 1 linecolor rgb 'gray88'
set border 1
set arrow 1 from 0, graph 0 to 0, graph 1 nohead linecolor rgb 'gray50' back
set key at screen 0.5, 0.06 center vertical reverse Left samplen 2
set offsets graph 0.05, graph 0.05, 0, 0
set bmargin 7
plot data using 2:($0 - 0.14):3:ytic(1) every ::1 with xerrorbars \
         linecolor rgb '#000000' pointtype 5 pointsize 1 linewidth 1.5 \
         title 'published, with its spread', \
     data using 4:($0 + 0.14):5:6 every ::1 with xerrorbars \
         linecolor rgb '#d55e00' pointtype 7 pointsize 1 linewidth 1.5 \
         title 'predicted, with its interval'
