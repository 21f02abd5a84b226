# SPDX-License-Identifier: GPL-2.0-or-later
# Memory that the host holds for the guest, all variants. Given: nr, file and
# label by number, heading; phases where they are the same for all.
figure, axes = pyplot.subplots()
nr = int(nr)
for i in range(1, nr + 1):
    d = columns(file[i])
    axes.plot(d["time_s"], d["host_resident_gib"], color=colour(i - 1),
              linewidth=1.2 + 0.8 * (nr - i), marker=MARKERS[(i - 1) % 8],
              markevery=(0.01 * i, 0.08), markersize=5,
              linestyle=DASHES[(i - 1) // 7 % 4], label=label[i])
axes.set_xlabel("virtual time [s]")
axes.set_ylabel("resident on the host [GiB]")
axes.set_xlim(left=0)
axes.set_ylim(bottom=0)
show_phases(axes, globals().get("phases", []))
figure.suptitle(heading, fontsize=10)
legend_below(figure, axes)
save(figure)
