"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  document.body.classList.add("scripted");

  // --- tables: sort by a heading, filter by words, show all rows ---

  const number = /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i;
  const compare = (a, b) => (number.test(a) && number.test(b) ? a - b : a < b ? -1 : a > b ? 1 : 0);

  function sort(button) {
    const head = button.closest("th");
    const body = head.closest("table").tBodies[0];
    const place = Number(button.dataset.sort);
    const first = head.classList.contains("num") ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    all("th", head.parentNode).forEach((one) => one.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const short = all("tr", body).filter((row) => !row.classList.contains("more")).length;
    const rows = all("tr", body).map((row) => [row.cells[place].dataset.s, row]);
    rows.sort((a, b) => sign * compare(a[0], b[0]));
    rows.forEach(([, row], rank) => row.classList.toggle("more", rank >= short));
    body.append(...rows.map(([, row]) => row));
  }

  const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);
  const holds = (element, wanted) => {
    const text = element.textContent.toLowerCase();
    return wanted.every((word) => text.includes(word));
  };

  function filter(grid) {
    const own = grid.querySelector("[data-filter]");
    const wanted = [...words(own ? own.value : ""), ...words(search.value)];
    const rows = all("tbody tr", grid);
    rows.forEach((row) => { row.hidden = !holds(row, wanted); });
    grid.classList.toggle("open", wanted.length > 0 || "asked" in grid.dataset);
    const table = grid.querySelector("table");
    if (table) reachBy(table, entrance(table));
    const none = grid.querySelector(".none");
    if (none) none.hidden = rows.some((row) => !row.hidden);
    const left = rows.filter((row) => !row.hidden).length;
    grid.querySelector(".count").textContent = wanted.length ? `${left} of ${rows.length}` : rows.length;
    return left;
  }

  const search = document.getElementById("search");

  function searchAll() {
    const wanted = words(search.value);
    let left = all("[data-grid]").reduce((sum, grid) => sum + filter(grid), 0);
    all("details.entry").forEach((entry) => {
      entry.hidden = !holds(entry, wanted);
      left += entry.hidden ? 0 : 1;
    });
    document.getElementById("found").textContent = wanted.length ? `${left} rows and entries hold “${search.value.trim()}”.` : "";
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button && "sort" in button.dataset) sort(button);
    if (button && "all" in button.dataset) {
      const grid = button.closest("[data-grid]");
      const open = !("asked" in grid.dataset);
      if (open) grid.dataset.asked = ""; else delete grid.dataset.asked;
      button.textContent = open ? "Show fewer" : `Show all ${all("tbody tr", grid).length}`;
      filter(grid);
    }
  });
  all("[data-grid]").forEach((grid) => grid.querySelector("[data-filter]")?.addEventListener("input", () => filter(grid)));
  search.addEventListener("input", searchAll);
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing) { event.preventDefault(); search.focus(); }
    if (event.key === "Escape" && document.activeElement === search) { search.value = ""; searchAll(); }
  });

  // --- tables by the keyboard: one Tab enters, arrows move (the grid pattern of the ARIA Authoring Practices) ---

  // What a cell is reached by: its one link or button, else the cell itself.
  const stop = (cell) => cell.querySelector("a, button") || cell;
  const entrance = (table) => stop(table.rows[0].cells[0]);
  const seen = (row) => getComputedStyle(row).display !== "none";

  function reachBy(table, next) {
    all("[tabindex='0']", table).forEach((one) => { one.tabIndex = -1; });
    next.tabIndex = 0;
  }

  function beside(row, step) {
    const rows = [...row.closest("table").rows].filter((one) => one === row || seen(one));
    return rows[Math.min(rows.length - 1, Math.max(0, rows.indexOf(row) + step))];
  }

  function reached(cell, event) {
    const row = cell.parentNode;
    const at = cell.cellIndex;
    const last = (cells) => cells[cells.length - 1];
    const same = (other) => other.cells[Math.min(at, other.cells.length - 1)];
    const far = event.ctrlKey ? Infinity : 0;
    switch (event.key) {
      case "ArrowRight": return row.cells[at + 1];
      case "ArrowLeft": return row.cells[at - 1];
      case "ArrowDown": return same(beside(row, 1));
      case "ArrowUp": return same(beside(row, -1));
      case "PageDown": return same(beside(row, 10));
      case "PageUp": return same(beside(row, -10));
      case "Home": return beside(row, -far).cells[0];
      case "End": return last(beside(row, far).cells);
    }
  }

  all("main table").forEach((table) => {
    table.setAttribute("role", "grid");
    table.setAttribute("aria-readonly", "true");
    all("td", table).forEach((cell) => cell.setAttribute("role", "gridcell"));
    all("a, button", table).forEach((one) => { one.tabIndex = -1; });
    reachBy(table, entrance(table));
    table.addEventListener("keydown", (event) => {
      const cell = event.target.closest("th, td");
      const next = cell && !event.altKey && !event.metaKey && reached(cell, event);
      if (!next) return;
      event.preventDefault();
      reachBy(table, stop(next));
      stop(next).focus();
    });
    table.addEventListener("focusin", (event) => reachBy(table, event.target));
  });

  // --- what is known of a number, for whoever points at it, taps it or goes to it ---

  const tip = document.getElementById("tip");

  // The text moves out of `title`, which only a mouse would show.
  function known(element) {
    const found = element && element.matches("[title], [data-about]") ? element : element?.querySelector("[title], [data-about]");
    if (found?.title) {
      found.dataset.about = found.title;
      found.removeAttribute("title");
    }
    return found;
  }

  let shown = null;

  function hide() {
    shown = null;
    tip.hidden = true;
    all("[aria-describedby='tip']").forEach((one) => one.removeAttribute("aria-describedby"));
  }

  function show(element) {
    const found = known(element);
    hide();
    if (!found) return;
    shown = found;
    tip.textContent = found.dataset.about;
    tip.hidden = false;
    const place = element.getBoundingClientRect();
    const below = place.bottom + tip.offsetHeight <= innerHeight || place.top < tip.offsetHeight;
    const left = Math.max(8, Math.min(found.getBoundingClientRect().left, document.documentElement.clientWidth - tip.offsetWidth - 8));
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${scrollY + (below ? place.bottom : place.top - tip.offsetHeight)}px`;
    if (element === document.activeElement) element.setAttribute("aria-describedby", "tip");
  }

  const about = (event) => event.target.closest?.("[title], [data-about]");
  const focused = () => document.activeElement.closest("td, th, a, .fig");
  document.addEventListener("focusin", () => { if (focused()) show(focused()); });
  document.addEventListener("focusout", (event) => { if (event.target.hasAttribute("aria-describedby")) hide(); });
  document.addEventListener("pointerover", (event) => {
    const found = about(event);
    if (event.pointerType === "mouse" && found && found !== shown) show(found);
  });
  document.addEventListener("pointerout", (event) => {
    const left = about(event) || event.target.closest?.("#tip");
    const into = event.relatedTarget;
    if (event.pointerType === "mouse" && left && into !== tip && !left.contains(into)) show(focused());
  });
  document.addEventListener("pointerup", (event) => {
    if (event.pointerType !== "mouse" && !event.target.closest("a, #tip")) show(about(event));
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // --- links open what they lead to; light and dark ---

  function openTarget() {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) {
      target.hidden = false;
      target.open = true;
      target.firstElementChild.focus();
      target.scrollIntoView();
      requestAnimationFrame(() => target.scrollIntoView()); // what came into sight above it has its true height now
    }
  }
  window.addEventListener("hashchange", openTarget);
  openTarget();

  document.getElementById("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  // --- what if: the engine's own sums (model/levers.py says what the parts are) ---

  const data = document.getElementById("levers-data");
  if (!data) return;
  const levers = JSON.parse(data.textContent);
  const form = document.getElementById("levers");

  function scanBlocks(items, bytes) {
    const perPage = Math.ceil(levers.page_bytes / bytes);
    const blocks = (size) => Math.max(1, Math.ceil(size / levers.read_block)) / 2;
    const pages = Math.floor(items / perPage);
    const rest = items - pages * perPage;
    return pages * blocks(perPage * bytes) + (rest || !pages ? blocks(rest * bytes) : 0);
  }

  function units(time, reads, writes, data) {
    const found = levers.structures.map((one) => ({
      index: one.index,
      reads: one[time].reads_of_reads * reads + one[time].reads_of_writes * writes,
      writes: one[time].writes * writes,
      transactions: one[time].transactions * writes,
    }));
    for (const scan of levers.scans) {
      const more = scanBlocks(scan.items * data, scan.item_bytes) / scanBlocks(scan.items, scan.item_bytes);
      found[scan.structure].reads += scan[time] * (scan.writes ? writes : reads) * scan.read_units * more;
    }
    return found;
  }

  // What floats add beyond 1e-9 is noise, as in the engine.
  const held = (peak) => Math.max(1, Math.ceil(peak / levers.target_utilisation - 1e-9));

  function capacity(peak) {
    return peak.map((one) => ({
      index: one.index,
      reads: held(one.reads),
      writes: held(one.writes),
      transactions: one.index ? 0 : held(one.writes) - held(one.writes - one.transactions),
    }));
  }

  function bill(terms, reads, writes, data) {
    const demand = terms.mode === "on-demand";
    const paid = demand ? units("month", reads, writes, data) : capacity(units("peak", reads, writes, data));
    const sum = (part, wanted) => paid.filter(wanted).reduce((total, one) => total + part(one), 0);
    return {
      reads: sum((one) => one.reads, () => true) * terms.read_usd,
      writes: sum((one) => one.writes - one.transactions, (one) => !one.index) * terms.write_usd,
      "index writes": sum((one) => one.writes, (one) => one.index) * terms.write_usd,
      transactions: sum((one) => one.transactions, (one) => !one.index) * terms.write_usd,
      storage: levers.storage_gib * data * terms.storage_usd,
      "index storage": levers.index_storage_gib * data * terms.storage_usd,
    };
  }

  function asked() {
    const value = (name) => Number(form.elements[name].value);
    const factor = Math.max(0, 1 + value("growth") / 100) ** value("months");
    const share = levers.write_share;
    const wanted = form.elements.writes.value === form.elements.writes.defaultValue ? share : value("writes") / 100;
    return {
      data: factor,
      reads: factor * value("calls") * (share < 1 ? (1 - wanted) / (1 - share) : 1),
      writes: factor * value("calls") * (share ? wanted / share : 1),
      wanted,
    };
  }

  const usd = (amount) => amount.toLocaleString("en-US", { style: "currency", currency: "USD", minimumFractionDigits: amount && Math.abs(amount) < 0.01 ? 6 : 2 });
  const element = (tag, text, name) => Object.assign(document.createElement(tag), { textContent: text, className: name || "" });

  function recompute() {
    const { data: growth, reads, writes, wanted } = asked();
    const fields = form.elements;
    const said = { months: fields.months.value, growth: `${Number(Number(fields.growth.value).toFixed(2))} %`, calls: `× ${fields.calls.value}`, writes: `${(wanted * 100).toFixed(1)} %` };
    for (const [name, text] of Object.entries(said)) form.querySelector(`output[for="lever-${name}"]`).value = text;
    const terms = levers.terms.find((one) => ["region", "table_class", "mode"].every((name) => one[name] === fields[name].value));
    const result = document.getElementById("result");
    result.replaceChildren();
    if (!terms) {
      result.append(element("p", "No price is known for this.", "total"));
      return;
    }
    const parts = bill(terms, reads, writes, growth);
    const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
    result.dataset.usd = JSON.stringify(parts);
    result.append(element("p", `${usd(total)} a month`, "total"));
    for (const [name, amount] of Object.entries(parts)) result.append(element("div", `${name} ${usd(amount)}`));
    result.append(element("p", `Prices: ${terms.quoted}`, "quiet"));
  }

  for (const region of [...new Set(levers.terms.map((one) => one.region))]) {
    form.elements.region.append(new Option(region, region, region === levers.billed.region, region === levers.billed.region));
  }
  for (const name of ["mode", "table_class"]) {
    all("option", form.elements[name]).forEach((option) => { option.defaultSelected = option.value === levers.billed[name]; });
  }
  form.addEventListener("input", recompute);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(recompute));
  recompute();
})();
