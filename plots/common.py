# SPDX-License-Identifier: GPL-2.0-or-later
# What all figures share: the look, reading their data, and saving a picture that
# is the same bytes every time. Given: output, heading.
import csv
import sys

try:
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
except ImportError:
    sys.exit(77)

COLOURS = ["#000000", "#56b4e9", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
           "#0072b2"]
MARKERS = ["s", "o", "^", "D", "v", "P", "X", "*"]
DASHES = ["-", "--", "-.", ":"]

matplotlib.rcParams.update({
    "svg.hashsalt": "buddylab", "svg.fonttype": "none",
    "figure.figsize": (7.6, 4.4), "savefig.dpi": 150, "font.size": 9,
    "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.grid.axis": "y", "grid.color": "#d9d9d9",
    "axes.axisbelow": True, "legend.frameon": False,
    "axes.titlesize": 10, "text.parse_math": False,
})


def columns(path):
    """The columns of a CSV file by name; text stays text."""
    def number(text):
        try:
            return float(text)
        except ValueError:
            return text
    with open(path, encoding="utf-8", newline="") as f:
        rows = list(csv.reader(f))
    return {name: [number(row[i]) for row in rows[1:]]
            for i, name in enumerate(rows[0])}


def colour(i):
    return COLOURS[i % len(COLOURS)]


def show_phases(axes, phases):
    """Lines where phases end, and their names above."""
    for name, begin, end in phases:
        axes.axvline(end, color="#666666", linestyle=":", linewidth=0.8)
        axes.annotate(name, ((begin + end) / 2, 1.01),
                      xycoords=("data", "axes fraction"), ha="center",
                      fontsize=8, color="#444444")


def legend_below(figure, axes, most=3):
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center",
                  ncol=min(most, max(1, len(labels))))
    rows = (len(labels) + most - 1) // most
    figure.subplots_adjust(bottom=0.16 + 0.055 * rows, top=0.84)


def save(figure):
    kind = output.rsplit(".", 1)[1]
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    # Under another name until it is whole, if one is given.
    to = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else output
    figure.savefig(to, format=kind, metadata=metadata)


