// Live progress: while a job runs, its box is fetched again; without this, a refresh shows the same.
"use strict";
{
  const box = document.getElementById("job");
  const state = () => box?.querySelector(".job")?.dataset.state;
  const wait = 700;

  async function look() {
    try {
      const answer = await fetch("/maintain/index/job", { headers: { Accept: "text/html" } });
      if (answer.redirected) location.reload(); // signed out meanwhile
      if (answer.ok) renew(await answer.text());
    } catch {
      // The network is away: the next look tries again.
    }
    if (state() === "running") setTimeout(look, wait);
  }

  function renew(markup) {
    const made = new DOMParser().parseFromString(markup, "text/html").querySelector(".job");
    const old = box.querySelector(".job");
    if (!made || !old) return;
    if (made.dataset.state !== "running") {
      location.reload(); // the page around it has changed, too
      return;
    }
    // Only what has changed is touched: a button keeps its focus, and a step is read out once.
    const parts = [".step", ".about", "progress", "progress + .about", ".row"];
    const same = parts.every((part) => Boolean(old.querySelector(part)) === Boolean(made.querySelector(part)));
    const forms = (root) => root.querySelectorAll("form").length;
    if (!same || forms(old) !== forms(made) || made.querySelector("h3") && !old.querySelector("h3")) {
      old.replaceWith(made);
      return;
    }
    for (const part of [".step", ".about", "progress + .about"]) {
      const [to, from] = [old.querySelector(part), made.querySelector(part)];
      if (to.textContent !== from.textContent) to.textContent = from.textContent;
    }
    const [bar, now] = [old.querySelector("progress"), made.querySelector("progress")];
    if (now.hasAttribute("value")) bar.value = now.value;
    else bar.removeAttribute("value");
  }

  if (state() === "running") setTimeout(look, wait);
}
