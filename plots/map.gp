# SPDX-License-Identifier: GPL-2.0-or-later
# Memory map, one variant: address over time, what the guest does with it above
# and what the host has behind it below. A spot has the mixed colour of what is
# in it. Given: data, heading, step (seconds), high (GiB), bin (GiB). Columns:
# time, address, then shares: used, free, reported, huge, small, none.
set multiplot layout 2, 1 title heading
set xrange [-step / 2:*]
set autoscale xfixmax
set yrange [0:high]
set tics out nomirror
set border 3
set lmargin 11
set rmargin 3
set key outside top right horizontal reverse Left samplen 1.5 width 1 maxrows 1
# 0..255 of red, green, blue for three shares and their three colours.
# Where there is no memory, it is white.
mix(a, b, c, x, y, z) = 255 * (a * x + b * y + c * z + 1 - a - b - c)
set tmargin 3
set bmargin 2
set ylabel "the guest\naddress [GiB]"
plot data using 1:2:(mix($3, $4, $5, 0.12, 0.93, 0.62)) \
          :(mix($3, $4, $5, 0.31, 0.62, 0.84)) \
          :(mix($3, $4, $5, 0.54, 0.13, 0.70)) with rgbimage notitle, \
     NaN with boxes fillstyle solid linecolor rgb '#1f4f8a' title 'used', \
     NaN with boxes fillstyle solid linecolor rgb '#ed9e21' \
         title 'free, not reported', \
     NaN with boxes fillstyle solid linecolor rgb '#9ed6b3' \
         title 'free, reported'
set xlabel 'virtual time [s]'
set ylabel "the host\naddress [GiB]"
set tmargin 2
set bmargin 3.5
plot data using 1:2:(mix($6, $7, $8, 0.37, 0.83, 0.95)) \
          :(mix($6, $7, $8, 0.18, 0.49, 0.95)) \
          :(mix($6, $7, $8, 0.50, 0.68, 0.95)) with rgbimage notitle, \
     NaN with boxes fillstyle solid linecolor rgb '#5e2e80' \
         title 'mapped, huge pages', \
     NaN with boxes fillstyle solid linecolor rgb '#d47dad' \
         title 'mapped, small pages', \
     NaN with boxes fillstyle solid linecolor rgb '#f2f2f2' \
         title 'not mapped'
unset multiplot
