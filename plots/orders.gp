# SPDX-License-Identifier: GPL-2.0-or-later
# Free memory of the guest by order, stacked, large blocks below. Given: data,
# heading; columns: time, then GiB of orders 0 to 10.
set title heading offset 0, 1.2
set xlabel 'virtual time [s]'
set ylabel 'free in the guest [GiB]'
set yrange [0:*]
set xrange [0:*]
set autoscale xfixmax
set tics out nomirror
set border 3
set tmargin 6
set rmargin 14
set key outside right center vertical reverse Left samplen 1.5 invert
# Orders 10, 9, 8, then down to 0: the sum of all orders from o up.
sum(o) = (o > 10 ? 0 : column(o + 2) + sum(o + 1))
shade = '#08306b #2171b5 #6baed6 #c6dbef #e5f5e0 #a1d99b #41ab5d #fee391 #fe9929 #cc4c02 #662506'
plot for [i = 0:10] data using 1:(sum(i)) every ::1 \
     with filledcurves y1=0 linecolor rgb word(shade, 11 - i) \
     title sprintf('order %d', i)
