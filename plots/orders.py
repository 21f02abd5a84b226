# SPDX-License-Identifier: GPL-2.0-or-later
# Free memory of the guest by order, stacked, large blocks below. Given: data,
# heading, phases; columns: time, then GiB of orders 0 to 10.
SHADE = ["#08306b", "#2171b5", "#6baed6", "#c6dbef", "#e5f5e0", "#a1d99b",
         "#41ab5d", "#fee391", "#fe9929", "#cc4c02", "#662506"]
d = columns(data)
figure, axes = pyplot.subplots()
orders = range(10, -1, -1)
axes.stackplot(d["time_s"], [d[f"order{o}_gib"] for o in orders],
               colors=SHADE, labels=[f"order {o}" for o in orders])
axes.set_xlim(0, max(d["time_s"]))
axes.set_ylim(bottom=0)
axes.set_xlabel("virtual time [s]")
axes.set_ylabel("free in the guest [GiB]")
show_phases(axes, phases)
handles, labels = axes.get_legend_handles_labels()
axes.legend(handles[::-1], labels[::-1], loc="center left",
            bbox_to_anchor=(1.0, 0.5), fontsize=8)
figure.suptitle(heading, fontsize=10)
figure.subplots_adjust(right=0.84, top=0.84)
save(figure)
