// Makes elements. What anybody says only ever becomes a text node, so it can never be markup.

// Control characters and those that turn the direction of writing do not belong on a screen.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** One element: h("p", {class: "note"}, "text", child, null). */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  return fill(element, ...children);
}

/** Puts these children in place of all that an element has. */
export function fill(element, ...children) {
  const nodes = children.filter((child) => child !== null && child !== undefined && child !== "");
  element.replaceChildren(...nodes.map((child) => (child instanceof Node ? child : String(child).replace(UNSEEN, ""))));
  return element;
}

/** The element of an id; a page that lacks it is a fault of ours. */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/** 3:41 */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Shows the level (0 to 1) of one side, and in words whether it speaks. */
export function showSide(side, level, speaks, word) {
  side.querySelector("meter-bar").style.setProperty("--level", level.toFixed(3));
  side.classList.toggle("speaks", speaks);
  const shown = side.querySelector("em");
  if (shown.textContent !== word) shown.textContent = word;
}

/** Twelve keys that call back with what was pressed. */
export function fillKeypad(keypad, press) {
  for (const key of "123456789*0#") {
    const button = h("button", { type: "button" }, key);
    button.addEventListener("click", () => press(key));
    keypad.append(button);
  }
}
