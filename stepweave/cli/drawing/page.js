"use strict";
const tasks = JSON.parse(document.getElementById("data").textContent);
const panel = document.getElementById("details");
const picture = document.getElementById("picture");
const drawing = picture.querySelector("svg");
const boxes = [...drawing.querySelectorAll(".task")];
const edgesOf = new Map(boxes.map((box) => [box.dataset.task, []]));
for (const edge of drawing.querySelectorAll(".edge")) {
  for (const end of edge.dataset.ends.split(" ")) edgesOf.get(end).push(edge);
}
let lit = [];
let chosen = null;

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text; // never innerHTML: the texts come from users
  if (className) made.className = className;
  return made;
}

function show(box) {
  const task = tasks[Number(box.dataset.task)];
  const list = document.createElement("dl");
  for (const [label, text] of task.details) list.append(element("dt", label), element("dd", text));
  for (const edge of lit) edge.classList.remove("lit");
  lit = edgesOf.get(box.dataset.task);
  for (const edge of lit) edge.classList.add("lit");
  panel.replaceChildren(element("h3", task.id), element("p", task.doc, "doc"), list);
}

function choose(box) {
  if (chosen) chosen.classList.remove("chosen");
  chosen = chosen === box ? null : box;
  if (chosen) { chosen.classList.add("chosen"); show(chosen); }
}

for (const box of boxes) {
  box.addEventListener("mouseenter", () => { if (!chosen) show(box); });
  box.addEventListener("focus", () => { if (!chosen) show(box); });
  box.addEventListener("click", () => choose(box));
  box.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(box); });
}

document.getElementById("find").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  for (const box of boxes) {
    const task = tasks[Number(box.dataset.task)];
    const text = [task.id, task.doc, ...task.details.map((pair) => pair[1])].join(" ").toLowerCase();
    box.classList.toggle("faded", wanted !== "" && !text.includes(wanted));
  }
});

const size = { width: Number(drawing.getAttribute("width")), height: Number(drawing.getAttribute("height")) };
let scale = Math.min(1, Math.max(0.6, picture.clientWidth / size.width));
function zoom(next) {
  scale = Math.min(4, Math.max(0.05, next));
  drawing.setAttribute("width", size.width * scale);
  drawing.setAttribute("height", size.height * scale);
}
zoom(scale);

picture.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  const before = scale;
  const area = picture.getBoundingClientRect();
  const x = event.clientX - area.left, y = event.clientY - area.top;
  zoom(scale * Math.exp(-event.deltaY / 300));
  picture.scrollLeft = ((picture.scrollLeft + x) * scale) / before - x;
  picture.scrollTop = ((picture.scrollTop + y) * scale) / before - y;
}, { passive: false });

let held = null;
picture.addEventListener("pointerdown", (event) => { held = { x: event.clientX, y: event.clientY, left: picture.scrollLeft, top: picture.scrollTop }; });
window.addEventListener("pointermove", (event) => {
  if (!held) return;
  picture.scrollLeft = held.left - (event.clientX - held.x);
  picture.scrollTop = held.top - (event.clientY - held.y);
});
window.addEventListener("pointerup", () => { held = null; });
