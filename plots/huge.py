# SPDX-License-Identifier: GPL-2.0-or-later
# The host's huge pages behind the guests, against what is in the balloon and
# what the host wants there. Given: data, heading, phases.
d = columns(data)
figure, axes = pyplot.subplots()
time = d["time_s"]
axes.fill_between(time, d["balloon_gib"], color="#c8d9e6",
                  label="in the balloon")
axes.step(time, d["balloon_target_gib"], where="post", color="#0072b2",
          linestyle="--", label="balloon target")
axes.plot(time, d["host_resident_gib"], color="#e69f00", linestyle="-.",
          label="resident on the host")
axes.plot(time, d["host_huge_gib"], color="#b3470c", linewidth=2.2,
          marker="o", markevery=0.05, markersize=4, markerfacecolor="none",
          label="AnonHugePages of the host")
axes.set_xlabel("virtual time [s]")
axes.set_ylabel("memory [GiB]")
axes.set_xlim(0, max(time))
axes.set_ylim(bottom=0)
show_phases(axes, phases)
figure.suptitle(heading, fontsize=10)
legend_below(figure, axes, 2)
save(figure)
