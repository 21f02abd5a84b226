# SPDX-License-Identifier: GPL-2.0-or-later
# Memory over virtual time, one variant; below, what is really free on the host,
# which has a scale of its own. Given: data, heading, phases.
d = columns(data)
figure, (axes, lower) = pyplot.subplots(
    2, 1, sharex=True, height_ratios=[4, 1])
time = d["time_s"]
axes.fill_between(time, d["guest_used_gib"], color="#c8d9e6",
                  label="used in the guest")
axes.plot(time, d["guest_free_gib"], color="#009e73", linestyle="-.",
          label="free in the guest")
axes.plot(time, d["host_resident_gib"], color="#b3470c", linewidth=2.2,
          marker="o", markevery=0.05, markersize=4, markerfacecolor="none",
          label="resident on the host")
axes.plot([], [], color="#0072b2", label="really free on the host")
lower.plot(time, d["host_free_gib"], color="#0072b2")
lower.set_ylim(bottom=0)
lower.set_ylabel("free [GiB]")
lower.set_xlabel("virtual time [s]")
axes.set_ylabel("memory [GiB]")
axes.set_xlim(0, max(time))
axes.set_ylim(bottom=0)
show_phases(axes, phases)
figure.suptitle(heading, fontsize=10)
legend_below(figure, axes, 2)
save(figure)
