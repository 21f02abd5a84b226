// SPDX-License-Identifier: GPL-2.0-or-later
// Sorting of the tables of `buddylab report --format html`: a click on a head
// sorts by that column, a second one the other way round. Without a script the
// page is complete, only not sortable.
"use strict";

function value(row, column) {
	const cell = row.cells[column];
	const number = cell.dataset.v;

	return number === undefined ? cell.textContent : Number(number);
}

function compare(a, b) {
	if (typeof a === "number" && typeof b === "number")
		return a - b;
	return String(a).localeCompare(String(b), "en", { numeric: true });
}

function sort(table, column, head) {
	const down = head.getAttribute("aria-sort") === "ascending";
	const body = table.tBodies[0];
	const rows = Array.from(body.rows);

	for (const other of table.querySelectorAll("th[aria-sort]"))
		other.removeAttribute("aria-sort");
	head.setAttribute("aria-sort", down ? "descending" : "ascending");
	rows.sort((a, b) => (down ? -1 : 1) *
		  compare(value(a, column), value(b, column)));
	body.append(...rows);
}

for (const table of document.querySelectorAll("table.sortable"))
	for (const head of table.querySelectorAll("th[data-column]"))
		head.querySelector("button").addEventListener("click", () =>
			sort(table, Number(head.dataset.column), head));
