// The visitor's page: one question, one call to the server, one reply put under it.
// What is typed lives in this page's memory alone and is gone when it is closed or loaded again.
window.referral = (() => {
  "use strict";

  const LONGEST = 4000; // characters; of a longer message both ends are read
  const TURNS = 30; // that are kept, on the page and as history
  const PATIENCE = 60_000; // milliseconds until a reply counts as lost
  const wide = matchMedia("(min-width: 62rem)");
  const narrow = matchMedia("(max-width: 30rem)");
  const hovers = matchMedia("(hover: hover)");

  function shortened(text) {
    const half = LONGEST / 2 - 2;
    return text.length <= LONGEST ? text : `${text.slice(0, half)} … ${text.slice(-half)}`;
  }

  function within(milliseconds, promise) {
    const late = new Promise((resolve) => setTimeout(resolve, milliseconds));
    return Promise.race([promise, late]);
  }

  // Resolves once the style sheet is there, so that nobody sees or uses a page without it.
  function styled() {
    const sheet = document.querySelector('link[href*="pages/chat.css"]');
    if (!sheet || sheet.sheet) return Promise.resolve();
    return new Promise((done) => ["load", "error"].forEach((name) => sheet.addEventListener(name, done)));
  }

  async function start(element, server) {
    await styled();
    const root = element.querySelector("#referral");
    const box = root.querySelector("#question");
    const hint = root.querySelector("#hint");
    const form = root.querySelector("form.ask");
    const turns = root.querySelector(".turns");
    const over = root.querySelector(".over");
    const article = root.closest("[data-article]")?.dataset.article ?? "";
    const replies = new WeakMap(); // what came for each reply
    let asked = []; // the visitor's messages, oldest first
    let number = 0;
    let busy = false;

    // The page brings its own landmarks; Gradio's frame around it is none.
    root.parentElement.closest("main")?.setAttribute("role", "none");

    function add(message) {
      const turn = root.querySelector("template#turn").content.firstElementChild.cloneNode(true);
      turn.querySelector(".words").textContent = message;
      turn.dataset.number = String((number += 1));
      root.querySelector(".welcome").hidden = true;
      over.hidden = false;
      turns.append(turn);
      while (turns.children.length > TURNS) turns.firstElementChild.remove();
      return turn;
    }

    async function send(message) {
      if (busy) return;
      const text = shortened(message.trim());
      if (!text) {
        hint.textContent = "Type a question first.";
        box.focus();
        return;
      }
      hint.textContent = "";
      const turn = add(text);
      const history = asked.slice(-TURNS);
      asked.push(text);
      await answer(turn, { question: text, history, turn: number, article });
    }

    async function answer(turn, request) {
      const reply = turn.querySelector(".reply");
      wait(true, reply);
      turn.scrollIntoView({ block: "start" });
      const slow = setTimeout(() => (reply.textContent = "Looking in the articles…"), 400);
      const slower = setTimeout(() => (reply.textContent = "Still looking. This takes longer than usual."), 8000);
      const got = await within(PATIENCE, server.ask(request)).catch(() => undefined);
      clearTimeout(slow);
      clearTimeout(slower);
      wait(false, reply);
      if (!got?.html) return fail(turn, reply, request, got?.busy);
      show(turn, reply, got, request);
      if (got.articles?.length) offer(reply.querySelector(".said"), got.articles);
    }

    // Questions that some articles answer; without them nothing is missing.
    async function offer(place, articles) {
      const told = { articles, asked: asked.slice(-TURNS) };
      const questions = await Promise.resolve(server.onward(told)).catch(() => []);
      if (!questions?.length || !place.isConnected) return;
      const next = root.querySelector("template#onward").content.firstElementChild.cloneNode(true);
      for (const question of questions) {
        const button = document.createElement("button");
        Object.assign(button, { type: "button", textContent: question });
        button.dataset.ask = question;
        const item = document.createElement("li");
        item.append(button);
        next.querySelector("ul").append(item);
      }
      place.querySelector(".onward")?.remove();
      place.append(next);
    }

    // Scripts that are not needed for asking come when there is time, or when they are wanted.
    function further(name) {
      return import(new URL(root.dataset[name], document.baseURI).href);
    }

    async function judge(button) {
      if (button.getAttribute("aria-disabled") === "true") return;
      try {
        const judging = await further("judging");
        await judging.judge(root, button, replies.get(button.closest(".reply")).judged);
      } catch {
        button.closest(".tools").querySelector(".done").textContent = "That did not work. Please try again.";
      }
    }

    function startOver() {
      if (busy) return;
      asked = [];
      turns.replaceChildren();
      root.querySelector(".welcome").hidden = false;
      over.hidden = true;
      hint.textContent = "";
      box.focus();
      scrollTo(0, 0);
    }

    async function copy(button) {
      const done = button.closest(".tools").querySelector(".done");
      try {
        await navigator.clipboard.writeText(replies.get(button.closest(".reply")).text);
        done.textContent = "Copied.";
      } catch {
        done.textContent = "Your browser does not allow copying.";
      }
    }

    function wait(whether, reply) {
      busy = whether;
      reply.setAttribute("aria-busy", String(whether));
      form.querySelector("[type=submit]").setAttribute("aria-disabled", String(whether));
    }

    function show(turn, reply, got, request) {
      if (got.urgent) {
        // An alert is announced by itself: it must not stand inside another live region.
        for (const older of turns.querySelectorAll(".urgent")) older.replaceWith(pointer());
        reply.removeAttribute("aria-live");
      }
      reply.innerHTML = got.html;
      replies.set(reply, got);
      unfold(reply);
      if (shortened(box.value.trim()) === request.question) box.value = "";
      turn.scrollIntoView({ block: "start" });
      // On a phone the keyboard would cover the answer.
      if (hovers.matches) box.focus({ preventScroll: true });
      else turn.querySelector(".asked").focus({ preventScroll: true });
    }

    function pointer() {
      const line = document.createElement("p");
      line.className = "voice";
      line.textContent = "The notice below still stands.";
      return line;
    }

    function fail(turn, reply, request, full) {
      const failed = root.querySelector("template#failed").content.firstElementChild.cloneNode(true);
      const words = failed.querySelector("p");
      if (!navigator.onLine) words.textContent = "You seem to be offline. Your question was not lost.";
      else if (full) words.textContent = "Many people are asking at this moment. Your question was not lost.";
      failed.querySelector(".retry").addEventListener("click", () => {
        if (!busy) answer(turn, request);
      });
      reply.replaceChildren(failed);
      if (!box.value.trim()) box.value = request.question;
      turn.scrollIntoView({ block: "start" });
    }

    function unfold(within) {
      for (const details of within.querySelectorAll(".card details")) details.open = wide.matches;
    }

    // A quote and its card light up together.
    function light(target, on) {
      const n = target.closest("[data-n]")?.dataset.n;
      const turn = target.closest(".turn");
      if (!n || !turn) return;
      for (const part of turn.querySelectorAll(`[data-n="${CSS.escape(n)}"]`)) part.classList.toggle("lit", on);
    }

    function openCard(marker) {
      const card = marker.closest(".turn").querySelector(`.card[data-n="${CSS.escape(marker.dataset.n)}"]`);
      card.querySelector("details").open = true;
      card.scrollIntoView({ block: "nearest" });
      card.querySelector("summary").focus({ preventScroll: true });
    }

    for (const name of ["mouseover", "focusin"]) root.addEventListener(name, (event) => light(event.target, true));
    for (const name of ["mouseout", "focusout"]) root.addEventListener(name, (event) => light(event.target, false));
    wide.addEventListener("change", () => unfold(turns));

    root.addEventListener("click", (event) => {
      const asks = event.target.closest("[data-ask]");
      if (asks) {
        root.querySelector("dialog[open]")?.close();
        return void send(asks.dataset.ask);
      }
      const verdict = event.target.closest("[data-verdict]");
      if (verdict) return void judge(verdict);
      const tool = event.target.closest("[data-do]")?.dataset.do;
      if (tool === "copy") return void copy(event.target.closest("button"));
      if (tool === "print") return void print();
      const marker = event.target.closest("a.marker");
      if (marker) {
        event.preventDefault();
        openCard(marker);
      }
    });

    over.addEventListener("click", startOver);
    addEventListener("beforeprint", () => {
      for (const details of turns.querySelectorAll("details")) details.open = true;
    });
    addEventListener("afterprint", () => unfold(turns));

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(box.value);
    });
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        send(box.value);
      }
    });
    box.addEventListener("input", () => {
      const over = box.value.trim().length > LONGEST;
      hint.textContent = over
        ? `That is ${box.value.trim().length} characters. Only the first and the last 2,000 will be read.`
        : "";
    });
    if (narrow.matches) box.placeholder = "Ask a question"; // the longer one would be cut off
    root.style.visibility = "";
    box.focus({ preventScroll: true });
    const soon = window.requestIdleCallback ?? ((call) => setTimeout(call, 200));
    soon(() => further("map").then((map) => map.start(root, { offer })).catch(() => undefined)); // nothing is missing
  }

  return { start };
})();
