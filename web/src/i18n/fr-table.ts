import type { Words } from "./en";

const counted = (n: number, one: string, many: string) => `${n.toLocaleString("fr")} ${n < 2 ? one : many}`;

export const table: Words["table"] = {
  title: "Table en cours",
  matches: { exact: "exactement", covering: "ce qui le couvre", covered: "lui et ses plus spécifiques" },
  intro: "Interrogez la table en cours : qui annonce un préfixe maintenant, à qui, et ce qu'en dit la RPKI.",
  hint: "Un préfixe est cherché exactement, une adresse par les préfixes qui la couvrent, un AS par ce dont il est l'origine et ses voisins. La table est ce que les flux ont dit jusqu'ici.",
  cannot: (text) => `« ${text} » n'est ni un préfixe, ni une adresse, ni un AS.`,
  asQuestion: (as) => `Ce dont ${as} est l'origine maintenant, et qui sont ses voisins.`,
  prefixQuestion: (how, prefix) => `Qui annonce ${prefix} maintenant (${how}).`,
  originAt: (as, peers, all) => `${as} (chez ${peers.toLocaleString("fr")} pairs sur ${all.toLocaleString("fr")})`,
  oneFound: (prefix, origins, invalid) =>
    `${prefix} est annoncé par ${origins}${invalid === 0 ? "" : invalid === 1 ? " ; l'un est invalide selon la RPKI" : ` ; ${invalid} sont invalides selon la RPKI`}.`,
  manyFound: (prefixes, more, origins, invalid) =>
    `${more ? "Plus de " : ""}${counted(prefixes, "préfixe est annoncé", "préfixes sont annoncés")}, par ${counted(origins, "AS", "AS")}${invalid === 0 ? "" : ` ; ${counted(invalid, "est invalide", "sont invalides")} selon la RPKI`}.`,
  asFound: (as, v4, v6, neighbours, more) =>
    `${as} est l'origine de ${counted(v4, "préfixe IPv4", "préfixes IPv4")} et de ${counted(v6, "préfixe IPv6", "préfixes IPv6")} maintenant ; il a ${more ? "au moins " : ""}${counted(neighbours, "voisin", "voisins")}.`,
  ask: "Préfixe, adresse ou AS", match: "Portée", look: "Chercher", incidents: "Ses incidents",
  announced: "Annoncé maintenant", asOf: "à", origin: "Origine", seen: "Vu par", peers: "Pairs", paths: "Chemins",
  nobody: (prefix, how) => `Personne n'annonce ${prefix} (${how}).`,
  nobodyHint: "Pour autant que les flux le disent : voyez sur la page des flux si l'un d'eux est muet.",
  several: (n) => `${counted(n, "préfixe a", "préfixes ont")} plus d'une origine.`,
  truncated: (n) => `Les ${n.toLocaleString("fr")} premiers préfixes sont montrés ; demandez un préfixe plus long pour voir les autres.`,
  truncatedAs: "Tout n'est pas listé.", inBaseline: "La table arrive encore : ce qui manque ici n'est peut-être qu'en retard.",
  routes: (n) => counted(n, "route", "routes"), over: "Par un AS, ou chez un collecteur",
  originates: (n) => `Origine de ${counted(n, "préfixe", "préfixes")}`, nothing: "Il n'est l'origine de rien maintenant.",
  neighbours: "Voisins", noNeighbours: "Il n'est dans aucun chemin maintenant.", relation: "C'est son",
  relations: { provider: "fournisseur", customer: "client", peer: "pair", sibling: "AS frère", unknown: "inconnu" },
};
