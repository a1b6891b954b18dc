// Read-out under the pointer: the values of all shown lines at the nearest step. The page is complete without it.
for (const svg of document.querySelectorAll("svg[data-hover]")) {
  const { left, right, x, lines } = JSON.parse(svg.dataset.hover);
  const steps = [...new Set(lines.flatMap((line) => line.at.map(([step]) => step)))];
  const readout = document.createElement("div");
  const cursor = document.createElement("div");
  readout.className = "readout";
  cursor.className = "cursor";
  const hide = () => {
    readout.remove();
    cursor.remove();
  };
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const figure = svg.closest("figure");
    const outer = figure.getBoundingClientRect();
    const scale = box.width / svg.viewBox.baseVal.width;
    const at = (event.clientX - box.left) / scale;
    if (at < left - 8 || at > right + 8) return hide();
    const wanted = x[0] + ((at - left) / (right - left)) * (x[1] - x[0]);
    const step = steps.reduce((a, b) => (Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a));
    const rows = lines
      .filter((line) => document.getElementById(`show-${line.arm}`)?.checked ?? true)
      .map((line) => ({ ...line, point: line.at.find(([one]) => one === step) }))
      .filter((line) => line.point !== undefined)
      .sort((a, b) => b.point[1] - a.point[1]);
    const title = document.createElement("b");
    title.textContent = `step ${Math.round(step)}`;
    readout.replaceChildren(title);
    for (const { arm, name, point } of rows) {
      const row = document.createElement("span");
      const value = document.createElement("i");
      row.textContent = name;
      row.style.color = `var(--arm-${arm})`;
      value.textContent = point[2];
      value.style.fontStyle = "normal";
      row.append(value);
      readout.append(row);
    }
    const px =
      box.left - outer.left + scale * (left + ((step - x[0]) / (x[1] - x[0])) * (right - left));
    figure.append(readout, cursor);
    cursor.style.left = `${px}px`;
    cursor.style.top = `${box.top - outer.top}px`;
    cursor.style.height = `${box.height * 0.9}px`;
    const flip = px + 14 + readout.offsetWidth > outer.width;
    readout.style.left = `${Math.max(0, flip ? px - 14 - readout.offsetWidth : px + 14)}px`;
    readout.style.top = `${box.top - outer.top + 8}px`;
  });
}
