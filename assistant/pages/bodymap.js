// The body map: a drawing whose regions are like radio buttons, a list beside it that says the same, and the articles.

export async function start(root, chat) {
  const map = root.querySelector(".map");
  const drawn = map.querySelector(".drawn");
  const welcome = map.parentElement;
  const dialog = root.querySelector("dialog.over-page");
  const browse = root.querySelector("button.browse");
  const got = await fetch("bodymap");
  const html = got.ok ? await got.text() : "";
  if (!html) return;
  drawn.innerHTML = html;
  const regions = [...drawn.querySelectorAll("[role=radio]")];
  const chosen = drawn.querySelector(".chosen");
  regions[0].setAttribute("tabindex", "0");
  map.hidden = Boolean(root.closest(".frame")); // a frame is too small to begin with it
  browse.hidden = false;

  const entry = (key) => drawn.querySelector(`details[data-region="${CSS.escape(key)}"]`);

  // One region is chosen at a time, in the drawing and in the list.
  function choose(region) {
    for (const one of regions) {
      one.setAttribute("aria-checked", String(one === region));
      one.setAttribute("tabindex", one === region ? "0" : "-1");
    }
    for (const one of drawn.querySelectorAll("details")) one.open = one.dataset.region === region.dataset.region;
    const list = drawn.querySelector(".regions");
    const there = entry(region.dataset.region);
    if (list.scrollHeight > list.clientHeight) list.scrollTop = there.offsetTop - list.offsetTop;
  }

  function move(event) {
    const place = regions.indexOf(event.target.closest("[role=radio]"));
    if (place < 0) return;
    const last = regions.length - 1;
    const to = { ArrowRight: place + 1, ArrowDown: place + 1, ArrowLeft: place - 1, ArrowUp: place - 1, Home: 0, End: last };
    if (event.key in to) {
      const next = regions[(to[event.key] + regions.length) % regions.length];
      choose(next);
      next.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      choose(regions[place]);
      entry(regions[place].dataset.region).querySelector("button").focus();
    } else return;
    event.preventDefault();
  }

  async function list(button) {
    const region = button.closest("details");
    const name = region.querySelector("summary").firstChild.textContent.trim();
    const heading = document.createElement("h3");
    heading.tabIndex = -1;
    heading.textContent = button.dataset.muscle ? button.textContent : name;
    const wanted = new URLSearchParams({ region: region.dataset.region, muscle: button.dataset.muscle });
    const found = await fetch(`bodymap/articles?${wanted}`).catch(() => null);
    chosen.innerHTML = found?.ok ? await found.text() : "<p class='voice'>Something went wrong on our side. Please try again.</p>";
    chosen.prepend(heading);
    chosen.hidden = false;
    heading.focus({ preventScroll: true });
    chosen.scrollIntoView({ block: "nearest" });
    const articles = [...chosen.querySelectorAll("[data-article]")].slice(0, 3).map((one) => one.dataset.article);
    if (articles.length) chat.offer(chosen, articles);
  }

  function show() {
    if (!welcome.hidden && !map.hidden) {
      map.scrollIntoView({ block: "start" });
      map.querySelector("h2").focus({ preventScroll: true });
      return;
    }
    map.hidden = false;
    dialog.append(map);
    dialog.showModal();
  }

  dialog.addEventListener("close", () => {
    welcome.append(map);
    map.hidden = Boolean(root.closest(".frame"));
  });
  browse.addEventListener("click", show);
  drawn.addEventListener("keydown", move);
  drawn.addEventListener("click", (event) => {
    const region = event.target.closest("[role=radio]");
    if (region) {
      choose(region);
      region.focus({ preventScroll: true });
    }
    const muscle = event.target.closest("[data-muscle]");
    if (muscle) list(muscle);
  });
  drawn.addEventListener(
    "toggle",
    (event) => {
      if (event.target.open) choose(regions.find((one) => one.dataset.region === event.target.dataset.region));
    },
    true, // it does not bubble
  );
}
