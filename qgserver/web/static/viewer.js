// The viewer: layers, projections and extents come from the WMS capabilities, pictures from GetMap. Version 1.1.1
// has x before y in every CRS, so that any projection works here without knowing its axes.
"use strict";

const byId = (id) => document.getElementById(id);
const project = new URLSearchParams(location.search).get("MAP");

function address(parameters) {
  const query = new URLSearchParams(project ? { MAP: project, ...parameters } : parameters);
  return location.pathname + "?" + query;
}

function say(text) {
  byId("message").textContent = text;
  byId("message").hidden = !text;
}

const children = (element, name) => [...element.children].filter((child) => child.localName === name);
const text = (element, name) => children(element, name)[0]?.textContent.trim() ?? "";

// One layer of the capabilities and what is below it; extents are those by CRS, inherited where a layer has none.
function readLayer(element, inherited) {
  const boxes = { ...inherited };
  for (const box of children(element, "BoundingBox")) {
    const sides = ["minx", "miny", "maxx", "maxy"].map((side) => Number(box.getAttribute(side)));
    if (sides.every(Number.isFinite) && sides[2] > sides[0] && sides[3] > sides[1]) {
      boxes[box.getAttribute("SRS")] = sides;
    }
  }
  const layers = children(element, "Layer").map((child) => readLayer(child, boxes));
  const scale = children(element, "ScaleHint")[0];
  return {
    name: text(element, "Name"),
    title: text(element, "Title") || text(element, "Name"),
    queryable: element.getAttribute("queryable") === "1",
    maxResolution: scale ? Number(scale.getAttribute("max")) / Math.SQRT2 || Infinity : Infinity,
    boxes,
    layers,
  };
}

async function readCapabilities() {
  const answer = await fetch(address({ SERVICE: "WMS", VERSION: "1.1.1", REQUEST: "GetCapabilities" }));
  const tree = new DOMParser().parseFromString(await answer.text(), "application/xml");
  const exception = tree.getElementsByTagName("ServiceException")[0];
  const capability = tree.getElementsByTagName("Capability")[0];
  if (exception || !capability) {
    throw new Error(exception?.textContent.trim() || "There is no map at this address.");
  }
  const info = capability.getElementsByTagName("GetFeatureInfo")[0];
  return {
    abstract: text(tree.getElementsByTagName("Service")[0], "Abstract"),
    legends: capability.getElementsByTagName("GetLegendGraphic").length > 0,
    infoFormats: info ? children(info, "Format").map((format) => format.textContent) : [],
    root: readLayer(children(capability, "Layer")[0], {}),
  };
}

function legend(layer) {
  const picture = document.createElement("img");
  picture.alt = "";
  picture.loading = "lazy";
  picture.src = address({
    SERVICE: "WMS", VERSION: "1.1.1", REQUEST: "GetLegendGraphic", LAYER: layer.name, FORMAT: "image/png",
    TRANSPARENT: "true", LAYERTITLE: "false", BOXSPACE: "0", LAYERSPACE: "0", RULELABEL: "auto", ITEMFONTSIZE: "8",
  });
  return picture;
}

// The layer tree as nested lists of checkboxes; returns the leaves, the top one first.
function showLayers(root, visible, legends, changed) {
  const leaves = [];
  const item = (layer) => {
    const row = document.createElement("li");
    const label = row.appendChild(document.createElement("label"));
    const box = label.appendChild(document.createElement("input"));
    box.type = "checkbox";
    label.append(layer.title);
    if (layer.layers.length === 0) {
      box.checked = visible.size === 0 || visible.has(layer.name);
      box.addEventListener("change", changed);
      if (legends) row.append(legend(layer));
      leaves.push(Object.assign(layer, { box, row }));
      return row;
    }
    label.className = "group";
    const list = row.appendChild(document.createElement("ul"));
    list.append(...layer.layers.map(item));
    const below = () => [...list.querySelectorAll("input")];
    box.checked = below().some((each) => each.checked);
    box.addEventListener("change", () => {
      for (const each of below()) each.checked = box.checked;
      changed();
    });
    return row;
  };
  const list = document.createElement("ul");
  list.append(...root.layers.map(item));
  byId("layers").replaceChildren(list);
  return leaves;
}

function projectionOf(code, box) {
  const units = Math.max(...box.map(Math.abs)) <= 360 ? "degrees" : "m";
  return ol.proj.get(code) ?? new ol.proj.Projection({ code, units, extent: box });
}

function showFound(collection) {
  const found = byId("found");
  found.replaceChildren();
  for (const feature of collection.features ?? []) {
    const heading = found.appendChild(document.createElement("h2"));
    heading.textContent = String(feature.id ?? "").replace(/\.[^.]*$/, "") || "Feature";
    const table = found.appendChild(document.createElement("table"));
    for (const [name, value] of Object.entries(feature.properties ?? {})) {
      if (value === null || typeof value === "object") continue;
      const row = table.insertRow();
      row.appendChild(document.createElement("th")).textContent = name;
      row.insertCell().textContent = String(value);
    }
  }
  found.hidden = !found.hasChildNodes();
}

async function start() {
  const { abstract, legends, infoFormats, root } = await readCapabilities();
  byId("abstract").textContent = abstract;
  const visible = new Set(JSON.parse(document.body.dataset.visible));
  const image = new ol.layer.Image();
  const map = new ol.Map({
    target: "map",
    layers: [image],
    controls: ol.control.defaults.defaults().extend([new ol.control.ScaleLine()]),
  });
  const shown = () => leaves.filter((leaf) => leaf.box.checked).map((leaf) => leaf.name).reverse();
  const parameters = () => {
    const layers = shown();
    return { VERSION: "1.1.1", LAYERS: layers.join(","), STYLES: "", TRANSPARENT: "false", FORMAT: "image/png" };
  };
  const changed = () => {
    image.setVisible(shown().length > 0);
    image.getSource()?.updateParams(parameters());
    link();
  };
  const link = () => {
    const view = map.getView();
    const size = map.getSize();
    for (const leaf of leaves) leaf.row.classList.toggle("hidden", view.getResolution() > leaf.maxResolution);
    if (!size) return;
    byId("view").href = address({
      SERVICE: "WMS", REQUEST: "GetMap", ...parameters(), SRS: view.getProjection().getCode(),
      BBOX: view.calculateExtent(size).join(","), WIDTH: size[0], HEIGHT: size[1],
    });
  };
  const leaves = showLayers(root, visible, legends, changed);
  const choose = (code) => {
    const projection = projectionOf(code, root.boxes[code]);
    const source = new ol.source.ImageWMS({
      url: address({}), params: parameters(), projection, ratio: 1, hidpi: false, interpolate: false,
    });
    source.on("imageloaderror", () => say("The map could not be drawn."));
    source.on("imageloadend", () => say(""));
    image.setSource(source);
    map.setView(new ol.View({ projection, showFullExtent: true }));
    map.getView().fit(root.boxes[code]);
    map.getView().on("change:resolution", link);
    link();
  };
  const select = document.querySelector("#projection select");
  for (const code of Object.keys(root.boxes)) select.add(new Option(code));
  select.addEventListener("change", () => choose(select.value));
  map.on("moveend", link);
  map.on("pointermove", (event) => {
    const digits = map.getView().getProjection().getUnits() === "degrees" ? 4 : 0;
    byId("position").textContent = event.coordinate.map((value) => value.toFixed(digits)).join("  ");
  });
  const infoFormat = infoFormats.find((format) => /json/.test(format));
  map.on("singleclick", async (event) => {
    const asked = leaves.filter((leaf) => leaf.box.checked && leaf.queryable).map((leaf) => leaf.name).join(",");
    if (!infoFormat || !asked) return;
    const view = map.getView();
    const url = image.getSource().getFeatureInfoUrl(event.coordinate, view.getResolution(), view.getProjection(), {
      INFO_FORMAT: infoFormat, QUERY_LAYERS: asked, FEATURE_COUNT: 5, FI_POINT_TOLERANCE: 8,
    });
    const answer = await fetch(url);
    if (answer.ok) showFound(await answer.json());
  });
  if (document.body.dataset.crs in root.boxes) select.value = document.body.dataset.crs;
  choose(select.value);
}

for (const [id, service] of [["wms", "WMS"], ["wfs", "WFS"]]) {
  byId(id).href = address({ SERVICE: service, REQUEST: "GetCapabilities" });
}
start().catch((error) => say(error.message));
