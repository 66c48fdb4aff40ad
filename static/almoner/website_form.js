// The form for a website: what is chosen is shown at once, and what is to be copied can be copied with one press.
document.addEventListener("DOMContentLoaded", () => {
  const choices = document.getElementById("dh-choices");
  const preview = document.getElementById("dh-preview");
  const code = document.getElementById("dh-code");
  const copy = document.getElementById("dh-copy");
  const told = document.getElementById("dh-copied");
  if (!choices || !preview || !code) return;

  let waiting = 0;
  let latest = 0;
  const show = async () => {
    const query = new URLSearchParams(new FormData(choices)).toString();
    const turn = (latest += 1);
    preview.src = `${preview.dataset.address}?${query}`;
    const answer = await fetch(`${code.dataset.address}?${query}`);
    const text = answer.ok ? await answer.text() : "";
    if (turn === latest && text) code.value = text;
    if (turn === latest) told.textContent = "";
  };
  choices.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 300);
  });

  copy.hidden = false;
  copy.addEventListener("click", async () => {
    code.select();
    try {
      await navigator.clipboard.writeText(code.value);
      told.textContent = "Copied. Paste it into your website.";
    } catch {
      told.textContent = "It is selected: press Ctrl and C, or ⌘ and C.";
    }
  });
});
