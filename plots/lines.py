# SPDX-License-Identifier: GPL-2.0-or-later
# A line for each variant over points that have names. Given: data, heading,
# across, upward, nr variants, logarithmic (0 is not drawn then), ticks.
with open(data, encoding="utf-8", newline="") as f:
    head, *rows = csv.reader(f)
figure, axes = pyplot.subplots()
nr = int(nr)
for i in range(nr):
    at = [k for k in range(len(rows)) if rows[k][i + 1]]
    axes.plot(at, [float(rows[k][i + 1]) for k in at], color=colour(i),
              linewidth=1.2 + 0.7 * (nr - 1 - i), marker=MARKERS[i % 8],
              markersize=5, linestyle=DASHES[i // 7 % 4], label=head[i + 1])
axes.set_xticks(range(len(ticks)), ticks)
axes.set_xlabel(across)
axes.set_ylabel(upward)
if logarithmic:
    axes.set_yscale("log", nonpositive="mask")
    axes.yaxis.set_major_formatter("{x:g}")
else:
    axes.set_ylim(bottom=0)
figure.suptitle(heading, fontsize=10)
legend_below(figure, axes)
save(figure)
