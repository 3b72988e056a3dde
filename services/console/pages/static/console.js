// What the pages do beyond htmx: a hidden page does not refresh, and a notice is shown if the console does not answer.
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
// After a desk has answered, the page around the answer is refreshed at once and not at the next interval.
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx.sourceElement.id === "asked" && !document.querySelector("#asked[hx-get]")) refresh();
});
const silent = (is) => () => {
  document.getElementById("offline").hidden = !is;
};
document.addEventListener("htmx:error", silent(true));
document.addEventListener("htmx:response:error", (event) => {
  const ended = event.detail.ctx.response.status === 401; // the console answers, but the session has ended
  document.getElementById(ended ? "signed-out" : "offline").hidden = false;
});
document.addEventListener("htmx:after:swap", silent(false));
