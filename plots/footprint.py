# SPDX-License-Identifier: GPL-2.0-or-later
# GiB x minutes that the host held, a bar for each variant and point, with the
# largest and smallest seed. Given: data, heading, ticks.
d = columns(data)
figure, axes = pyplot.subplots()
mean, low, high = d["gib_minutes"], d["low"], d["high"]
axes.bar(range(len(mean)), mean, 0.6, color="#56b4e9", edgecolor="black",
         yerr=[[max(0, m - v) for m, v in zip(mean, low)],
               [max(0, v - m) for m, v in zip(mean, high)]],
         error_kw={"capsize": 3})
many = len(ticks) > 4
axes.set_xticks(range(len(ticks)), ticks,
                rotation=90 if len(ticks) > 8 else 30 if many else 0,
                fontsize=5 if len(ticks) > 40 else 7 if len(ticks) > 8 else 9,
                ha="center" if len(ticks) > 8 or not many else "right")
axes.set_ylabel("GiB x minutes")
figure.suptitle(heading, fontsize=10)
figure.tight_layout()
save(figure)
