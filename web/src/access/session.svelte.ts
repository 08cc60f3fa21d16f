import { api, Problem, whenLoginNeeded } from "../api/client";
import { USER_ROLES, type SessionUser, type UserRole } from "../api/types";

/** Who looks at these pages, as the server knows it. */
class Session {
  /** `setup`: there is no user yet. `out`: nobody is logged in. `in`: the pages may be shown. */
  state: "asking" | "setup" | "out" | "in" = $state("asking");
  user: SessionUser | null = $state.raw(null);
  problem: Problem | null = $state.raw(null);

  /** Asks the server who looks; and again whenever it says that a login is needed. */
  async start(): Promise<void> {
    whenLoginNeeded(() => {
      if (this.state === "in") void this.ask();
    });
    await this.ask();
  }

  async ask(): Promise<void> {
    try {
      const { user, setup_needed, mode } = await api.session();
      this.user = user;
      this.state = user || mode === "off" ? "in" : setup_needed ? "setup" : "out";
      this.problem = null;
    } catch (error) {
      // A server that has no login shows its pages to whoever reaches it.
      if (error instanceof Problem && error.code === "not_found") this.state = "in";
      else this.problem = error instanceof Problem ? error : new Problem("program", 0, String(error));
    }
  }

  async logIn(name: string, password: string): Promise<void> {
    await api.logIn(name, password);
    await this.ask();
  }

  async logOut(): Promise<void> {
    await api.logOut();
    await this.ask();
  }

  /** Whether who looks has this role or one that may more. */
  may(role: UserRole): boolean {
    return this.user !== null && USER_ROLES.indexOf(this.user.role) >= USER_ROLES.indexOf(role);
  }
}

export const session = new Session();
