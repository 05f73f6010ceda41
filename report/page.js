"use strict";
// Tooltips, sorting, choosing a task. The page says everything without it.
(function () {
	const tip = document.createElement("div");
	tip.id = "tip";
	document.body.append(tip);
	for (const title of document.querySelectorAll("svg title")) {
		title.parentNode.dataset.tip = title.textContent;
		title.remove();
	}
	document.addEventListener("pointermove", function (e) {
		const at = e.target.closest ? e.target.closest("[data-tip]") : null;
		tip.style.display = at ? "block" : "none";
		if (!at) return;
		tip.textContent = at.dataset.tip;
		const w = tip.offsetWidth, h = tip.offsetHeight;
		tip.style.left = Math.max(4, Math.min(e.clientX + 14, innerWidth - w - 4)) + "px";
		tip.style.top = (e.clientY + 18 + h > innerHeight ? e.clientY - h - 10 : e.clientY + 18) + "px";
	});

	function value(row, column) {
		const cell = row.cells[column];
		return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
	}
	function sort(head) {
		const table = head.closest("table"), body = table.tBodies[0], column = head.cellIndex;
		const up = head.getAttribute("aria-sort") === "descending";
		for (const th of table.querySelectorAll("th[aria-sort]")) th.removeAttribute("aria-sort");
		head.setAttribute("aria-sort", up ? "ascending" : "descending");
		const rows = Array.from(body.rows);
		rows.sort(function (a, b) {
			const x = value(a, column), y = value(b, column);
			const d = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
			return up ? d : -d;
		});
		body.append(...rows);
	}
	for (const head of document.querySelectorAll("table.sort th")) {
		const button = document.createElement("button");
		button.type = "button";
		button.append(...head.childNodes);
		button.addEventListener("click", function () { sort(head); });
		head.append(button);
	}

	function open() {
		const at = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
		if (at && at.tagName === "DETAILS") {
			at.open = true;
			at.scrollIntoView();
		}
	}
	addEventListener("hashchange", open);
	for (const place of document.querySelectorAll(".picker")) {
		const list = document.createElement("select");
		list.id = "pick" + place.dataset.section;
		list.setAttribute("aria-label", "choose a task");
		list.append(new Option("choose a task ...", ""));
		for (const one of place.parentNode.querySelectorAll("details.task"))
			list.append(new Option(one.querySelector("summary b").textContent + "  " + one.querySelector("summary span").textContent, one.id));
		list.addEventListener("change", function () {
			if (list.value) location.hash = list.value;
			open();
		});
		place.append(list);
	}
	open();
})();
