# SPDX-License-Identifier: GPL-2.0-or-later
# Published values and predictions, a row each, with published spread and
# predicted interval. Given: data, heading, across.
d = columns(data)
nr = len(d["row"])
figure, axes = pyplot.subplots(figsize=(7.6, 1.9 + 0.28 * nr))
rows = range(nr)
axes.errorbar(d["published"], [i - 0.14 for i in rows], xerr=d["spread"],
              fmt="s", color="#000000", capsize=2.5,
              label="published, with its spread")
axes.errorbar(d["predicted"], [i + 0.14 for i in rows],
              xerr=[[max(0, p - v) for p, v in zip(d["predicted"], d["low"])],
                    [max(0, v - p) for p, v in zip(d["predicted"],
                                                   d["high"])]],
              fmt="o", color="#d55e00", capsize=2.5,
              label="predicted, with its interval")
axes.axvline(0, color="#888888", linewidth=0.8)
axes.set_yticks(list(rows), [str(name) for name in d["row"]])
axes.invert_yaxis()
axes.tick_params(axis="y", length=0)
axes.spines["left"].set_visible(False)
axes.grid(False, axis="y")
axes.grid(True, axis="x")
axes.set_xlabel(across)
figure.suptitle(heading, fontsize=10)
axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.9 / (1 + 0.28 * nr)),
            ncol=2)
figure.tight_layout()
save(figure)
