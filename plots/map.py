# SPDX-License-Identifier: GPL-2.0-or-later
# Memory map, one variant: address over time, the guest above, the host below. A
# spot has the mixed colour of what is in it. Given: data, heading, step, high.
from matplotlib.patches import Patch

GUEST = [("used", (0.12, 0.31, 0.54)),
         ("free, not reported", (0.93, 0.62, 0.13)),
         ("free, reported", (0.62, 0.84, 0.70))]
HOST = [("mapped, huge pages", (0.37, 0.18, 0.50)),
        ("mapped, small pages", (0.83, 0.49, 0.68)),
        ("not mapped", (0.95, 0.95, 0.95))]

d = columns(data)
times = sorted(set(d["time_s"]))
bins = len(d["time_s"]) // len(times)


def picture(names, kinds):
    """Rows by address from below, columns by time; white without memory."""
    rows = [[None] * len(times) for _ in range(bins)]
    for i in range(len(d["time_s"])):
        share = [d[name][i] for name in names]
        rest = 1 - sum(share)
        rows[i % bins][i // bins] = [
            min(1, max(0, sum(s * c[k] for s, (_, c) in zip(share, kinds)) +
                       rest)) for k in range(3)]
    return rows


figure, both = pyplot.subplots(2, 1, sharex=True)
extent = (times[0] - step / 2, times[-1] + step / 2, 0, high)
for axes, names, kinds, who in (
        (both[0], ("used", "free", "reported"), GUEST, "the guest"),
        (both[1], ("huge", "small", "none"), HOST, "the host")):
    axes.imshow(picture(names, kinds), origin="lower", aspect="auto",
                extent=extent, interpolation="nearest")
    axes.grid(False)
    axes.set_ylabel(who + "\naddress [GiB]")
    axes.legend(handles=[Patch(color=c, label=n) for n, c in kinds], ncol=3,
                loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=8)
both[1].set_xlabel("virtual time [s]")
figure.suptitle(heading, fontsize=10)
figure.subplots_adjust(hspace=0.35, top=0.85, bottom=0.12)
save(figure)
