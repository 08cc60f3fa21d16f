import { Resource } from "../api/resource.svelte";
import { router } from "../app/router.svelte";
import { readiness } from "./api";
import { askedOf } from "./question";
import type { Periods, Profile, Profiles } from "./types";

/** Profiles and periods that can be asked for, and what is asked. To be made while a component is set up. */
export class Framework {
  profiles: Resource<Profiles>;
  periods: Resource<Periods>;
  asked = $derived(askedOf(router.query));

  constructor() {
    this.profiles = new Resource((signal) => readiness.profiles(signal));
    this.periods = new Resource((signal) => readiness.periods(signal));
  }

  /** The profile asked for, else the default; null until it is known. */
  get profile(): Profile | null {
    const all = this.profiles.value?.profiles ?? [];
    return all.find((one) => (this.asked.profile ? one.id === this.asked.profile : one.is_default)) ?? null;
  }

  /** Title of a score of the profile. */
  title(score: string): string | undefined {
    return this.profile?.scores.find((one) => one.id === score)?.title;
  }
}
