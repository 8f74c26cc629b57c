// How far a run is: asked for every second until it is done, then the whole page is loaded anew.
"use strict";

const section = document.getElementById("progress");
const bar = section.querySelector("progress");
const told = document.getElementById("told");

function minutes(seconds) {
  return seconds < 100 ? `${Math.ceil(seconds)} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}

async function look() {
  let next = 1000;
  try {
    const response = await fetch(`/staff/runs/${section.dataset.run}/progress`);
    if (!response.ok) throw new Error(response.status === 401 ? "Sign in again: load the page anew." : "");
    const found = await response.json();
    if (!found.goes_on) return location.reload();
    bar.max = found.total;
    bar.value = found.done;
    const left = found.left === null ? "" : `, about ${minutes(found.left)} left`;
    told.textContent = `${found.done} of ${found.total} questions${left}`;
  } catch (error) {
    told.textContent = error.message || "The server does not answer. Trying again.";
    next = 5000;
  }
  setTimeout(look, next);
}

setTimeout(look, 1000);
