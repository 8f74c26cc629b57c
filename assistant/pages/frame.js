// The chat in the widget's frame: asks its own server, and tells the page around it when it is to be closed.
(() => {
  "use strict";

  async function post(name, told) {
    const got = await fetch(`widget/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(told),
    });
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
