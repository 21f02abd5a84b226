# SPDX-License-Identifier: GPL-2.0-or-later
# Memory against throughput: a point for each variant; a line through those that
# no other is better than in both. Given: data, heading, subject.
d = columns(data)
figure, axes = pyplot.subplots()
x, y = d["footprint_gib_min"], d["change_percent"]
front = [i for i in range(len(x)) if d["front"][i]]
axes.plot([x[i] for i in front], [y[i] for i in front], color="#009e73",
          linestyle="--", label="Pareto front")
axes.plot(x, y, "o", color="#0072b2")
# Below their points: the front goes up to the right.
for i, name in enumerate(d["shown"]):
    axes.annotate(str(name), (x[i], y[i]), xytext=(5, -11),
                  textcoords="offset points", fontsize=8)
axes.axhline(0, color="#999999", linewidth=0.8)
axes.margins(0.18)
axes.grid(axis="x")
axes.set_xlabel("memory held by the host [GiB x minutes], less is better")
axes.set_ylabel(subject)
axes.legend(loc="lower right")
figure.suptitle(heading, fontsize=10)
figure.tight_layout(rect=(0, 0, 1, 0.97))
save(figure)
