// Makes elements. Text only ever becomes a text node, so what a customer says can never be markup.

// Control characters and those that turn the direction of writing do not belong on a screen.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text without control and bidirectional characters. */
export function plain(text) {
  return String(text).replace(UNSEEN, "");
}

/**
 * One element: h("p", {class: "why", data: {id: 7}, on: {click: f}}, "text", child, null).
 * Attributes that are null or false are left out; children that are null or false too.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "data") Object.assign(element.dataset, value);
    else if (name === "on") for (const [kind, act] of Object.entries(value)) element.addEventListener(kind, act);
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, children);
  return element;
}

/** Puts these children in place of all that an element has. */
export function fill(element, ...children) {
  element.replaceChildren();
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children.flat(2)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(plain(child)));
  }
}

/** The element of an id; a page that lacks it is a fault of ours. */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/** Whether a key was pressed where the person writes or chooses, so that it is not a shortcut. */
export function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}
