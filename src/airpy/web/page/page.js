// Shows the contract with Swagger UI. Everything on this page comes from this server.
"use strict";

const CONTRACT = "/v1/py/openapi.json";
const SCHEME = "bearerAuth";
const MOST_COLOURED = 20_000; // characters: to colour more keeps the tab busy for seconds
const KEPT = "airpy-token"; // in the tab's own storage, which goes with the tab

/** The operations of a contract. */
function operations(contract) {
  return Object.values(contract.paths).flatMap(Object.values).filter((one) => one.operationId);
}

/**
 * The contract as it is shown: without the tags that every operation has, each of which would list everything;
 * and with hyphens in the ids, since Swagger UI warns of an underscore in a link to an operation.
 */
function shown(contract) {
  const all = operations(contract);
  const common = all[0].tags.filter((tag) => all.every((one) => one.tags.includes(tag)));
  for (const one of all) {
    one.tags = one.tags.filter((tag) => !common.includes(tag));
    one.operationId = hyphenated(one.operationId);
  }
  contract.tags = contract.tags.filter((tag) => !common.includes(tag.name));
  return contract;
}

function hyphenated(text) {
  return text.toLowerCase().replaceAll("_", "-");
}

/** Keeps the bearer token for as long as the tab is open. */
const keepToken = {
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (authorize) => (given) => {
          sessionStorage.setItem(KEPT, given[SCHEME]?.value ?? "");
          return authorize(given);
        },
        logout: (logout) => (names) => {
          sessionStorage.removeItem(KEPT);
          return logout(names);
        },
      },
    },
  },
};

/** Finds operations by their line and by their group; Swagger UI itself looks at groups alone. */
const filterOperations = {
  fn: {
    opsFilter: (groups, phrase) => {
      const wanted = hyphenated(phrase);
      const line = (one) => `${one.get("method")} ${one.get("path")} ${one.getIn(["operation", "summary"])}`;
      const found = (one, name) => hyphenated(`${name} ${line(one)}`).includes(wanted);
      return groups
        .map((group, name) => group.update("operations", (all) => all.filter((one) => found(one, name))))
        .filter((group) => group.get("operations").size > 0);
    },
  },
};

/** Shows a long answer at once, without colours. */
const plainWhenLong = {
  wrapComponents: {
    SyntaxHighlighter: (Coloured, { React, getComponent }) => (shown) => {
      const long = shown.children.length > MOST_COLOURED;
      return React.createElement(long ? getComponent("PlainTextViewer") : Coloured, shown);
    },
  },
};

/** Says what the filter finds, as soon as there is one. */
const labelFilter = new MutationObserver(() => {
  const input = document.querySelector(".operation-filter-input");
  if (input) {
    labelFilter.disconnect();
    input.placeholder = input.ariaLabel = "Filter by path, summary or group";
  }
});

async function show() {
  const contract = await (await fetch(CONTRACT)).json();
  labelFilter.observe(document.body, { childList: true, subtree: true });
  const ui = SwaggerUIBundle({
    dom_id: "#contract",
    spec: shown(contract),
    plugins: [keepToken, filterOperations, plainWhenLong],
    deepLinking: true,
    filter: true,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
    onComplete: () => {
      const token = sessionStorage.getItem(KEPT);
      if (token) {
        ui.preauthorizeApiKey(SCHEME, token);
      }
    },
  });
}

if (matchMedia("(prefers-color-scheme: dark)").matches) {
  document.documentElement.classList.add("dark-mode");
}
show();
