# SPDX-License-Identifier: GPL-2.0-or-later
# Two objectives of points that were tried: those that no other beats, joined,
# with their intervals over seeds, and the others. Given: data, heading, across,
# up.
d = columns(data)
front = [i for i, yes in enumerate(d["front"]) if yes]
other = [i for i, yes in enumerate(d["front"]) if not yes]


def pick(name, rows):
    return [d[name][i] for i in rows]


def margins(name):
    return [[m - v for m, v in zip(pick(name, front),
                                   pick(f"{name}_low", front))],
            [v - m for m, v in zip(pick(name, front),
                                   pick(f"{name}_high", front))]]


figure, axes = pyplot.subplots()
axes.plot(pick("x", other), pick("y", other), "o", markersize=4,
          markerfacecolor="none", color="#999999", label="tried, and beaten")
axes.plot(pick("x", front), pick("y", front), color="#009e73", linestyle="--")
axes.errorbar(pick("x", front), pick("y", front), xerr=margins("x"),
              yerr=margins("y"), fmt="o", markersize=5, color="#0072b2",
              linewidth=0.8, label="front, with intervals")
for i in front:
    name = d["label"][i]
    axes.annotate(name if isinstance(name, str) else f"{name:g}",
                  (d["x"][i], d["y"][i]), xytext=(5, 5),
                  textcoords="offset points", fontsize=7)
axes.margins(0.12)
axes.grid(axis="x")
axes.set_xlabel(across)
axes.set_ylabel(up)
figure.suptitle(heading, fontsize=10)
figure.tight_layout(rect=(0, 0.06, 1, 0.97))
figure.legend(*axes.get_legend_handles_labels(), loc="lower center", ncol=2)
save(figure)
