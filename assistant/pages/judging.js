// "Helpful? Yes, No" under an answer, and what may follow. A thumb is counted. The question goes back to the server
// only when the box is ticked in this very form.

async function post(path, told) {
  const got = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(told),
  });
  if (!got.ok) throw new Error(String(got.status));
  return got.status === 204 ? {} : got.json();
}

// Counts the thumb, and asks why.
export async function judge(root, button, judged) {
  const verdict = button.dataset.verdict;
  const tools = button.closest(".tools");
  for (const one of tools.querySelectorAll("[data-verdict]")) one.setAttribute("aria-disabled", "true");
  button.setAttribute("aria-pressed", "true");
  const form = root.querySelector("template#why").content.firstElementChild.cloneNode(true);
  for (const set of form.querySelectorAll("fieldset")) set.hidden = set.dataset.for !== verdict;
  const consent = form.elements.consent;
  consent?.addEventListener("change", () => (form.querySelector(".own").hidden = !consent.checked));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(root, form, verdict, judged);
  });
  tools.after(form);
  form.querySelector("fieldset:not([hidden]) input").focus({ preventScroll: true });
  form.scrollIntoView({ block: "nearest" });
  await post("feedback/verdict", { verdict }).catch(() => undefined); // only a count is lost
}

async function send(root, form, verdict, judged) {
  const hint = form.querySelector(".hint");
  const told = { verdict, reason: form.elements.reason.value };
  if (form.elements.consent?.checked) told.consented = { ...judged, words: form.elements.words.value };
  if (!told.reason && !told.consented) {
    hint.textContent = "Choose a reason first.";
    return;
  }
  const button = form.querySelector(".send");
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    done(root, form, await post("feedback", told));
  } catch {
    button.setAttribute("aria-disabled", "false");
    hint.textContent = "It could not be sent. Please try again.";
  }
}

function done(root, form, got) {
  if (got.notice) {
    form.insertAdjacentHTML("beforebegin", got.notice);
    form.previousElementSibling.scrollIntoView({ block: "nearest" });
    return form.remove();
  }
  const said = got.code ? receipt(root, got) : thanks();
  form.replaceWith(said);
  said.focus({ preventScroll: true });
}

function thanks(words = "Thank you.") {
  const line = document.createElement("p");
  Object.assign(line, { className: "voice kept", textContent: words, tabIndex: -1 });
  line.setAttribute("role", "status");
  return line;
}

function receipt(root, got) {
  const kept = root.querySelector("template#kept").content.firstElementChild.cloneNode(true);
  kept.tabIndex = -1;
  kept.querySelector(".until").textContent = got.until;
  kept.querySelector("code").textContent = got.code;
  kept.querySelector("a").setAttribute("href", `feedback#${got.code}`); // after the # it is sent to nobody
  kept.querySelector(".forget").addEventListener("click", (event) => forget(kept, got.code, event.currentTarget));
  return kept;
}

async function forget(kept, code, button) {
  const gone = await fetch("feedback/delete", { method: "POST", body: new URLSearchParams({ code }) }).catch(() => null);
  if (gone && (gone.ok || gone.status === 404)) {
    const line = thanks("It is deleted. Nothing of it is kept.");
    kept.replaceWith(line);
    line.focus({ preventScroll: true });
  } else {
    button.textContent = "Delete it now (that did not work: try again)";
  }
}
