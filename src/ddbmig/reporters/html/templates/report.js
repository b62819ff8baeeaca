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
