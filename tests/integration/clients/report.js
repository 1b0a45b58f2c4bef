// What a page found out goes back to the test; whatever goes wrong on the page is part of it.
const report = { errors: [] };
for (const name of ["error", "warn"]) {
  const say = console[name];
  console[name] = (...words) => { report.errors.push(words.map(String).join(" ")); say.apply(console, words); };
}
addEventListener("error", (event) => report.errors.push(event.message || `${event.target.src} did not load`), true);
addEventListener("unhandledrejection", (event) => report.errors.push(String(event.reason)));

const server = new URLSearchParams(location.search).get("server");
const send = () => fetch("/report", { method: "POST", body: JSON.stringify(report) });

// How many colours a picture has; a blank one has one.
function colours(picture, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  return new Set(new Uint32Array(context.getImageData(0, 0, width, height).data.buffer)).size;
}

// A step that never ends must not end in silence.
const late = setTimeout(() => { report.errors.push("not ready in time"); send(); }, 45000);

async function run(steps) {
  try {
    await steps();
  } catch (error) {
    report.errors.push(String(error.stack || error));
  }
  clearTimeout(late);
  await send();
}
