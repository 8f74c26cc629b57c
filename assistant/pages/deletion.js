// Takes the code out of the address, where a link may have put it after the #: that part is sent to nobody.
(() => {
  "use strict";

  const box = document.querySelector("#code");
  const code = location.hash.slice(1);
  if (!box || !code) return;
  box.value = decodeURIComponent(code);
  history.replaceState(null, "", location.pathname);
})();
