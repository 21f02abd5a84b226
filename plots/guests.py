# SPDX-License-Identifier: GPL-2.0-or-later
# What the host holds for each of several guests, on top of each other. Given:
# data, nr (of guests that ran), heading, phases.
d = columns(data)
figure, axes = pyplot.subplots()
time = d["time_s"]
TONES = ["#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377",
         "#bbbbbb"]
below = [0.0] * len(time)
for i in range(int(nr)):
    above = d[f"guests_1_to_{i + 1}_resident_gib"]
    axes.fill_between(time, below, above, color=TONES[i % len(TONES)],
                      linewidth=0, label=f"{i + 1}")
    axes.plot(time, above, color="white", linewidth=0.6)
    below = above
limit = [a + b for a, b in zip(d["host_resident_gib"], d["host_free_gib"])]
if limit and max(limit) <= 2.5 * max(below, default=0):
    axes.plot(time, limit, color="black", linestyle="--", linewidth=1.2,
              label="limit")
axes.set_xlabel("virtual time [s]")
axes.set_ylabel("resident on the host [GiB]")
axes.set_xlim(0, max(time))
axes.set_ylim(bottom=0)
show_phases(axes, phases)
figure.suptitle(heading, fontsize=10)
handles, labels = axes.get_legend_handles_labels()
figure.legend(handles[::-1], labels[::-1], loc="center right", title="guest")
figure.subplots_adjust(right=0.86, top=0.84)
save(figure)
