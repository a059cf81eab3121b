// The overview on a screen on the wall: letters as large as all cards have room for, and where none are large enough to
// be read from afar, one page of cards after the other. What is said above them stays.
const LARGEST = 40; // [px]
const LEAST = 18;
const EVERY = 15000;
const area = document.getElementById("platforms");
const cards = () => [...area.querySelectorAll(".card")];
let first = 0; // of the page that is shown
let next = 0; // of the page after it

function fits() {
  return area.scrollHeight <= area.clientHeight + 1;
}

function reveal(from, until) {
  cards().forEach((one, k) => { one.hidden = k < from || k >= until; });
}

function show() {
  const all = cards().length;
  reveal(0, all);
  let size = LARGEST;
  do document.body.style.fontSize = `${size}px`; while (!fits() && (size -= 1) >= LEAST);
  first = size < LEAST && first < all ? first : 0;
  next = all;
  reveal(first, next);
  while (!fits() && next > first + 1) reveal(first, next -= 1);
  area.dataset.page = `${first} ${next}`;
}

function turn() {
  first = next < cards().length ? next : 0;
  show();
}

addEventListener("resize", show);
addEventListener("changed", show);
setInterval(turn, EVERY);
show();
