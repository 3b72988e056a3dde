// What the pages do beyond htmx: nothing is asked while nobody looks, and a console that does not answer is said.
document.addEventListener("htmx:before:request", (event) => {
  const cause = event.detail.ctx.sourceEvent;
  if (document.hidden && cause && cause.type === "every") event.preventDefault();
});
const refresh = () => {
  for (const part of document.querySelectorAll("[hx-trigger*=shown]")) part.dispatchEvent(new Event("shown"));
};
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
// A desk has answered: the page around the answer is read at once, not at its next turn.
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx.sourceElement.id === "asked" && !document.querySelector("#asked[hx-get]")) refresh();
});
const silent = (is) => () => {
  document.getElementById("offline").hidden = !is;
};
document.addEventListener("htmx:error", silent(true));
document.addEventListener("htmx:response:error", (event) => {
  const ended = event.detail.ctx.response.status === 401; // it answers, but to nobody who is not signed in
  document.getElementById(ended ? "signed-out" : "offline").hidden = false;
});
document.addEventListener("htmx:after:swap", silent(false));
