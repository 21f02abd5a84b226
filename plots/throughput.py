# SPDX-License-Identifier: GPL-2.0-or-later
# Iterations per second against the reference variant, bars with the largest and
# smallest seed. Given: data, heading, subject, nr variants, ticks.
with open(data, encoding="utf-8", newline="") as f:
    head, *rows = csv.reader(f)
figure, axes = pyplot.subplots()
nr = int(nr)
width = 0.8 / nr
hatches = ["", "//", "\\\\", "xx", "..", "--", "++"]
for i in range(nr):
    # A point that a variant does not have is empty.
    at = [k for k in range(len(rows)) if rows[k][3 * i + 1]]
    mean, low, high = ({k: float(rows[k][3 * i + n]) for k in at}
                       for n in (1, 2, 3))
    axes.bar([k + (i - (nr - 1) / 2) * width for k in at],
             [mean[k] for k in at], width * 0.92, color=colour(i + 1),
             edgecolor="black", linewidth=0.6, hatch=hatches[i % 7],
             yerr=[[max(0, mean[k] - low[k]) for k in at],
                   [max(0, high[k] - mean[k]) for k in at]],
             error_kw={"capsize": 2.5, "linewidth": 1}, label=head[3 * i + 1])
axes.axhline(0, color="black", linewidth=1)
axes.set_xticks(range(len(ticks)), ticks)
axes.tick_params(axis="x", length=0)
axes.set_ylabel(subject)
axes.spines["bottom"].set_visible(False)
figure.suptitle(heading, fontsize=10)
legend_below(figure, axes)
save(figure)
