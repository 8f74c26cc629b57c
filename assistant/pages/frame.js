// The chat in the widget's frame: asks its own server, and tells the page around it when it is to be closed.
(() => {
  "use strict";

  let session = document.body.dataset.session;

  function send(name, told) {
    return fetch(`widget/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Referral-Session": session },
      body: JSON.stringify(told),
    });
  }

  // Of a chat that was open for long, or across a restart of the server: this page's own address has a new one.
  async function renewed() {
    const page = await fetch(location.href);
    if (!page.ok) return false;
    session = new DOMParser().parseFromString(await page.text(), "text/html").body.dataset.session ?? "";
    return true;
  }

  async function post(name, told) {
    let got = await send(name, told);
    if (got.status === 401 && (await renewed())) got = await send(name, told);
    if (got.status === 429) return { busy: true };
    if (!got.ok) throw new Error(String(got.status));
    return got.json();
  }

  const server = {
    ask: (turn) => post("ask", turn),
    onward: async (answered) => {
      const got = await post("onward", answered);
      return Array.isArray(got) ? got : [];
    },
  };

  addEventListener("keydown", (event) => {
    // Says nothing but that Escape was pressed, so whoever frames the page may hear it.
    if (event.key === "Escape") parent.postMessage("referral:close", "*");
  });

  window.referral.start(document.body, server);
})();
