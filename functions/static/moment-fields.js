// Fields of a form that hold a moment, in the zone that is chosen: in another zone the moment is the same.
import { fieldText, momentsOf, zone } from "./times.js";

export function put(field, moment) {
  field.value = fieldText(moment);
  field.dataset.moment = moment;
}

export function keepMoments(fields) {
  for (const field of fields) {
    field.addEventListener("input", () => {
      const found = momentsOf(field.value);
      field.dataset.moment = found.length === 1 ? found[0] : "";
    });
  }
  addEventListener("zone", () => fields.filter((one) => one.dataset.moment).forEach((one) => put(one, Number(one.dataset.moment))));
}

// As the API takes it; throws an Error in the hour that comes twice, or does not come.
export function momentOf(field) {
  if (field.dataset.moment) return new Date(Number(field.dataset.moment)).toISOString();
  const times = momentsOf(field.value).length ? "comes twice" : "does not come";
  throw new Error(`${field.name}: ${field.value.replace("T", " ")} ${times} in ${zone()}; say it in UTC`);
}
