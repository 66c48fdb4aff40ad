// The page to try an API: everything on it is made from the OpenAPI document, as text only.
document.addEventListener("DOMContentLoaded", async () => {
  const page = document.getElementById("try");
  const calls = document.getElementById("try-calls");

  const make = (tag, properties = {}, ...inside) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in element && name !== "list") element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...inside);
    return element;
  };
  const pretty = (content) => JSON.stringify(content, null, 2);
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

  // Words of the document: paragraphs, and `code`.
  const coded = (text) => text.split("`").map((part, number) => (number % 2 ? make("code", {}, part) : part));
  const written = (text) => text.split("\n\n").map((paragraph) => make("p", {}, ...coded(paragraph)));

  const resolved = (api, schema) => {
    const name = schema && schema.$ref && schema.$ref.split("/").pop();
    return name ? api.components.schemas[name] : schema;
  };

  const fields = (schema) => {
    const rows = Object.entries(schema.properties || {}).map(([name, field]) => {
      const kind = [field.format || [field.type || "any JSON"].flat().join(" or "), field.maxLength && `at most ${field.maxLength}`,
        field.enum && field.enum.join(", "), field.minimum !== undefined && `${field.minimum} to ${field.maximum}`];
      const is_needed = (schema.required || []).includes(name);
      return make("tr", {}, make("td", { "data-label": "Field" }, make("code", {}, name)),
        make("td", { "data-label": "Is" }, make("span", {}, kind.filter(Boolean).join("; "))),
        make("td", { "data-label": "Needed" }, is_needed ? "yes" : "no"),
        make("td", { "data-label": "Meaning" }, make("span", {}, ...coded(field.description || ""))));
    });
    const head = ["Field", "Is", "Needed", "Meaning"].map((text) => make("th", { scope: "col" }, text));
    return make("table", { className: "al-table" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
  };

  const call = (api, path, method, operation) => {
    const form = make("form", { noValidate: true });
    const inputs = (operation.parameters || []).map((parameter) => {
      const id = `${operation.operationId}-${parameter.name}`;
      const input = make("input", { id, type: "text", className: "al-input al-whole", autocomplete: "off" });
      if (parameter.in === "header") input.value = crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2);
      form.append(make("p", {}, make("label", { className: "al-label", htmlFor: id },
        `${parameter.name}${parameter.required ? "" : " (optional)"}`), input,
        make("small", { className: "al-subtle" }, ...coded(parameter.description || ""))));
      return [parameter, input];
    });
    let body = null;
    const content = operation.requestBody && operation.requestBody.content["application/json"];
    if (content) {
      const id = `${operation.operationId}-body`;
      body = make("textarea", { id, className: "al-input al-whole", rows: 8, value: pretty(content.example), spellcheck: false });
      form.append(make("p", {}, make("label", { className: "al-label", htmlFor: id }, "Body"), body));
    }
    const shown = make("div", { "aria-live": "polite" });
    const request = () => {
      let address = path;
      const query = new URLSearchParams();
      const headers = { Authorization: `Bearer ${document.getElementById("try-key").value.trim()}` };
      for (const [parameter, input] of inputs) {
        const value = input.value.trim();
        if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(value));
        else if (parameter.in === "header") headers[parameter.name] = value;
        else if (value) query.set(parameter.name, value);
      }
      if (body) headers["Content-Type"] = "application/json";
      const base = "base" in page.dataset ? page.dataset.base : page.dataset.document.replace(/\/openapi\.json$/, "");
      const whole = base + address + (String(query) ? `?${query}` : "");
      return [whole, { method: method.toUpperCase(), headers, body: body ? body.value : undefined, credentials: "omit" }];
    };
    form.append(make("p", { className: "al-buttons" },
      make("button", { type: "submit", className: "al-button" }, "Send")), shown);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const empty = inputs.find(([parameter, input]) => parameter.in === "path" && !input.value.trim());
      if (empty) {
        shown.replaceChildren(make("p", { className: "al-error" }, `Fill in ${empty[0].name} first.`));
        empty[1].focus();
        return;
      }
      const [address, options] = request();
      const hidden = { ...options.headers, Authorization: "Bearer $KEY" };
      const curl = ["curl", ...(method === "get" ? [] : ["-X", method.toUpperCase()]), quoted(location.origin + address),
        ...Object.entries(hidden).map(([name, value]) => `\\\n  -H "${name}: ${value}"`),
        ...(body ? [`\\\n  -d ${quoted(body.value)}`] : [])].join(" ");
      shown.replaceChildren(make("p", { className: "al-subtle" }, "Waiting for the answer …"));
      let status = "";
      let text = "";
      try {
        const answer = await fetch(address, options);
        status = `${answer.status} ${answer.statusText}`;
        text = await answer.text();
        try { text = pretty(JSON.parse(text)); } catch { /* shown as it came */ }
      } catch {
        status = "No answer";
        text = "The call could not be sent. Is a header or the key not plain letters?";
      }
      const tone = status.startsWith("2") ? "al-good" : "al-bad";
      shown.replaceChildren(make("p", {}, make("span", { className: `al-badge ${tone}` }, status)),
        make("pre", { tabIndex: 0 }, text), make("p", { className: "al-label" }, "The same on a command line"), make("pre", { tabIndex: 0 }, curl));
    });
    const inside = [];
    const whole = content && resolved(api, content.schema);
    const schema = whole && whole.type === "array" ? resolved(api, whole.items) : whole;
    if (schema) inside.push(make("div", { className: "try-fields" }, fields(schema)));
    const good = Object.entries(operation.responses).find(([status]) => status.startsWith("2"));
    const example = good && Object.values(good[1].content || {}).map((content) => content.example).find(Boolean);
    if (example) inside.push(make("details", {}, make("summary", {}, `An answer (${good[0]})`), make("pre", { tabIndex: 0 }, pretty(example))));
    return make("details", { className: "al-card try-call", id: operation.operationId },
      make("summary", {}, make("span", { className: `al-badge ${method === "get" ? "" : "al-good"}` }, method.toUpperCase()),
        make("code", {}, path), make("span", {}, operation.summary)), ...inside, form);
  };

  try {
    const api = await (await fetch(page.dataset.document, { credentials: "omit" })).json();
    document.getElementById("try-how").replaceChildren(...written(api.info.description));
    calls.replaceChildren(...Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => call(api, path, method, operation))));
  } catch {
    calls.replaceChildren(make("p", {}, "The document could not be read. Load this page again."));
  }
});
