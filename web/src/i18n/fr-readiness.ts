import type { Words } from "./en";

const counted = (n: number, one: string, many: string) => `${n.toLocaleString("fr")} ${n < 2 ? one : many}`;
const reseaux = (n: number) => counted(n, "réseau", "réseaux");
function whoIs(ready: number, known: number): string {
  if (known === 1) return `le seul réseau avec données ${ready === 1 ? "est" : "n'est pas"} prêt`;
  if (ready === known) return `les ${reseaux(known)} avec données sont tous prêts`;
  return `${ready.toLocaleString("fr")} sur ${reseaux(known)} avec données ${ready < 2 ? "est prêt" : "sont prêts"}`;
}
const inPoints = (text: string) => `${text} ${/^[+−]?[01](,|$)/.test(text) ? "point" : "points"}`;
const classes: Words["readiness"]["classes"] = { ready: "prêt", aspiring: "en progrès", lagging: "en retard", no_data: "sans données" };

export const readiness: Words["readiness"] = {
  title: "Maturité", classes,
  by: { world: "Monde", country: "Pays", region: "Régions", registry: "Registres", sector: "Secteurs", constituency: "Périmètre" },
  oneBy: { world: "Monde", country: "Pays", region: "Région", registry: "Registre", sector: "Secteur", constituency: "Périmètre" },
  orders: { worst: "les moins bons d'abord", best: "les meilleurs d'abord" },
  groupOrders: { lowest: "les plus bas d'abord", highest: "les plus hauts d'abord", size: "le plus de réseaux d'abord", name: "par nom" },
  states: { scored: "noté", informational: "montré, non noté", no_data: "sans données" },
  routeStates: { invalid: "invalide RPKI", not_found: "sans ROA", unregistered: "sans objet route" },
  rovVerdicts: { drops: "rejette les routes invalides RPKI", partly: "rejette une partie des routes invalides RPKI", passes: "transmet les routes invalides RPKI", unknown: "inconnu" },
  conformances: { conformant: "conforme", non_conformant: "non conforme", no_data: "sans données" },
  actionStates: { met: "remplie", not_met: "non remplie", no_data: "sans données", declared: "déclarée" },
  scores: {
    A1: "Filtrage", A2: "Anti-usurpation", A3: "Coordination", "A4-IRR": "Validation globale : IRR", "A4-RPKI": "Validation globale : RPKI",
    "A1-ROV": "Filtrage : routes invalides RPKI", "A1-OTC": "Filtrage : OTC (RFC 9234)", "A4-ASPA": "Validation globale : ASPA",
  },
  metrics: {
    M1: "Fuites de routes par l'AS", M1C: "Fuites d'un voisin que l'AS a transmises", M2: "Détournements par l'AS", M2C: "Détournements d'un voisin que l'AS a transmis",
    M3: "Préfixes bogons annoncés par l'AS", M3C: "Préfixes bogons d'un voisin que l'AS a transmis", M4: "ASN bogons dans les chemins annoncés par l'AS", M4C: "ASN bogons dans les chemins d'un voisin que l'AS a transmis",
    "M3-administrative": "Préfixes bogons administratifs annoncés par l'AS", "M3C-administrative": "Préfixes bogons administratifs d'un voisin que l'AS a transmis",
    "M4-administrative": "ASN bogons administratifs dans les chemins annoncés par l'AS", "M4C-administrative": "ASN bogons administratifs dans les chemins d'un voisin que l'AS a transmis",
    M5: "Préfixes d'où des paquets usurpés ont été reçus", M7IRR: "Part des routes ayant un objet route", M7RPKI: "Part des routes valides RPKI, moins dix fois celle des invalides", M7RPKIN: "Part des routes invalides RPKI", M8: "Contacts trouvables",
  },
  inputs: {
    incidents: "incidents", delegations: "délégations", spoofer: "tests d'usurpation", routes: "routes annoncées", irr: "objets route", vrps: "ROA (VRP)", contacts: "contacts",
    aspas: "ASPA", relations: "relations des AS", otc_routes: "routes avec OTC", invalid_routes: "routes invalides RPKI",
  },
  figures: {
    events: "événements", incidents: "incidents comptés", dismissed: "ne comptent pas", doubtful: "trop douteux pour compter", tests: "tests", received_prefixes: "préfixes reçus",
    announced: "routes annoncées", exact: "enregistrées exactement", covered: "enregistrées ou couvertes", valid: "valides", not_found: "sans ROA", invalid: "invalides", contact_kinds: "sortes de contacts", part: "le font", whole: "vus",
  },
  period: "Période", profile: "Profil", grouping: "Groupé par", score: "Note", order: "Ordre", class: "Classe", anyClass: "toutes",
  windows: (days) => `${days} derniers jours`, thisFar: (month) => `${month}, jusqu'ici`, months: "Mois", thisMonth: "ce mois", endNow: "Jusqu'à maintenant",
  report: "Rapport imprimable", export: "Exporter", exportAll: "Tous les réseaux, avec chaque note", reportMine: "Rapport de mon périmètre",
  networks: reseaux,
  sentence: (name, score, period, ready, known, mean, trend, noData) =>
    known === 0
      ? `${name ? `${name} : ` : ""}aucun réseau n'a de données pour ${score} (${period}).`
      : `${name ? `${name} : ` : ""}${whoIs(ready, known)} pour ${score} ; la moyenne est ${mean}${trend} (${period}).${noData === 0 ? "" : ` ${noData.toLocaleString("fr")} de plus ${noData < 2 ? "est" : "sont"} sans données.`}`,
  trendSince: (difference, size) => (difference === 0 ? ", comme à la période précédente" : `, ${inPoints(size)} ${difference > 0 ? "au-dessus" : "au-dessous"} de la période précédente`),
  noScores: (profile) => `${profile} n'a que des valeurs brutes, pas de notes : la page d'un réseau les montre ; choisissez un autre profil pour voir des notes.`,
  mean: "Moyenne", byIpv4: "Par espace IPv4", byIpv6: "Par espace IPv6", trend: "Tendance", trendTitle: "Points au-dessus ou au-dessous de la période précédente", noTrend: "rien à comparer",
  distribution: "Répartition", size: "Réseaux", scoresOf: "Notes", choose: "Choisissez une note pour la voir sur toute la page.",
  map: (score) => `Moyenne de ${score} par pays`, mapSmall: (count: number) => `${count} de plus, trop petits pour cette carte, sont dans le tableau.`,
    mapNote: "Dans la moyenne d'un pays, ses réseaux avec données comptent autant. Frontières de Natural Earth ; sans prise de position sur leur statut.", mapNothing: "aucun réseau connu", groups: (n, what) => `${what} : ${n.toLocaleString("fr")}`,
  noGroups: "Il n'y a pas de groupe de cette sorte. Secteurs et périmètre viennent du document du périmètre.",
  worst: "Les plus bas", best: "Les plus hauts", place: "Rang", placeOf: (place, of) => `${place} sur ${of}`, ties: (n) => (n === 1 ? "Personne d'autre n'a ce rang" : `${n.toLocaleString("fr")} réseaux partagent ce rang`), noPlace: "sans rang : sans données",
  country: "Pays", participant: "Participe à", listed: (n, total) => (n === total ? reseaux(n) : `${n.toLocaleString("fr")} sur ${reseaux(total)}`),
  allOf: "Tous dans cet ordre", placesNote: "La meilleure note a le rang 1 ; = veut dire que d'autres le partagent. Sans données, pas de rang.", tiedBeyond: (n, place, shown) => `${n.toLocaleString("fr")} réseaux partagent le rang ${place} ; les ${shown} premiers d'entre eux par ASN sont montrés.`, noneListed: "Aucun réseau de ce groupe n'est de cette classe.",
  sources: "D'après quoi c'est mesuré", measured: "mesuré", input: "Entrée", file: "De", date: "En date de", entries: "Lignes", digest: "SHA-256", missing: "Ce qui manque", missingWhy: "Ce qui en dépend est sans données : ce n'est pas zéro, et cela n'entre dans aucune moyenne.", nothingMissing: "Aucune entrée ne manque.", undated: "sans date", noDigest: "aucune : lu tel quel",
  history: "Évolution", historyOf: "Notes au fil des mois", historyNote: "Une ligne s'interrompt où il n'y a pas de données.", noHistory: "Une seule période a été mesurée : une évolution en demande deux.", axisFrom: (from) => `L'axe commence à ${from}.`,
  asSentence: (as, period, parts, lowest) => `${as} : ${parts} (${period}).${lowest ? ` La plus basse est ${lowest}.` : ""}`,
  inClass: (n, of) => `${classes[of]} : ${n}`, scoresCounted: (parts, all) => `${counted(all, "note", "notes")} (${parts})`, rawOnly: "valeurs brutes seulement, pas de notes",
  formula: "Formule", raw: "Brut", state: "État", figuresIn: "Entrées", fresh: "Fraîcheur", stateOf: "État",
  counted: "Incidents comptés", from: "De", until: "À", coefficient: "Coefficient", weight: "Poids", adds: "Ajoute", events: "Événements", moreEvents: (n) => `et ${n.toLocaleString("fr")} de plus`,
  dismissed: "Événements qui ne comptent pas", why: "Pourquoi", costs: "Routes qui coûtent des points", costsShown: (n) => `Les ${n} premières sont montrées.`, metricsOf: (n) => counted(n, "mesure", "mesures"), unscored: "Montré, non noté", missingIn: (ids) => `sans données : ${ids}`,
  dispute: "Un incident est faux ? Ouvrez-le et dites-le : les notes changent aussitôt.",
  advice: "Ce qui relèverait une note", adviceNone: "Rien de connu ne relèverait une note.", gain: (now, after) => `${now} → ${after}`,
  programmes: "Programmes", programmesNote: "Participer et se conformer sont à part de la maturité : ce sont les règles d'un programme ; la maturité est ce qui a été vu.", takesNoPart: "Il ne participe à aucun programme connu.", since: (date) => `depuis ${date}`, mandatory: "obligatoire", optional: "volontaire", conformance: "Conformité", action: "Action",
  rov: "Routes invalides RPKI", rovOf: (dropped, n) => `${dropped.toLocaleString("fr")} sur ${counted(n, "route rejetée", "routes rejetées")}`, rovInterval: (low, high) => `intervalle à 95 % de ${low} à ${high}`, rovNone: "On ne sait rien de ce qu'il fait des routes invalides RPKI.",
  space: "Annonce", spaceText: (v4, v6) => `${counted(v4, "/24", "/24")} en IPv4, ${counted(v6, "/48", "/48")} en IPv6`, registry: "Registre", region: "Région", sectors: "Secteurs", constituencyOf: "Périmètre",
  compare: "Comparer", compareWith: "Comparer à d'autres", whole: "Maturité en détail", ofCountry: "Maturité du pays",
  compareAsk: "Quels réseaux ? Mettez-en 2 à 10 côte à côte.", compareHint: "Tapez des ASN, séparés par des virgules ou des espaces : les fournisseurs entre lesquels choisir, ou un réseau et ses voisins.",
  compareSentence: (n, period, where, points) => `${reseaux(n)} côte à côte (${period}) : ${where ? `c'est pour ${where} qu'ils diffèrent le plus, de ${inPoints(points)}.` : "ils ne diffèrent pour aucune note."}`,
  compareNone: "Aucun de ces réseaux n'a été vu.", notSeen: (names) => `Non vus pendant cette période : ${names}.`, add: "Ajouter", addAsn: "ASN à ajouter", removeAsn: (as) => `Ôter ${as}`, badAsns: (text) => `« ${text} » : ce ne sont pas des ASN.`, tooMany: (n) => `On ne peut en comparer plus de ${n}.`, oneMore: "Il faut un réseau de plus.",
  isBest: "meilleur", isBestTied: "= meilleur", behind: inPoints, same: "tous pareils", differs: "diffère", network: "Réseau", incidents: "Incidents qui comptent",
  providers: "Lequel comme fournisseur ?", providersNote: "D'après ce qu'on sait de chacun. Ce qu'on ne sait pas ne compte ni pour ni contre : voyez la part connue avant le rang.", known: "Connu", knownOf: (share) => `${share} du poids est connu`, for: "Pour", against: "Contre", unknown: "Inconnu", noneFor: "rien", weightOf: (n) => `poids ${n}`,
  notMeasured: (what) => `Rien n'a encore été mesuré pour ${what}.`, notMeasuredHint: "Les notes sont mesurées d'après ce que le service a vu et les faits configurés. La première mesure suit, en quelques minutes, l'arrivée de la table ; les mois d'avant n'en ont pas. Choisissez une autre période.",
  measuring: "La première mesure est en cours.", measuringHint: "Elle prend de quelques secondes à quelques minutes. Cette page redemande d'elle-même.", noAs: (as) => `${as} n'a rien annoncé et n'a part à aucun incident pendant cette période.`, noAsHint: "Un réseau qui n'annonce rien n'a pas de maturité. Choisissez une autre période, ou voyez si les flux parlent.",
  noGroup: "Aucun réseau n'est dans ce groupe pendant cette période.", asked: "la période demandée",
  verdict: "Verdict", verdicts: { false_positive: "faux positif", confirmed: "confirmé", unclear: "incertain" },
  verdictNone: "Personne n'a encore jugé cet incident.", verdictBy: (who) => `par ${who}`, nobodyNamed: "quelqu'un sans connexion", note: "Note", noteHint: "pourquoi, pour ceux qui liront", judge: "Rendre ce verdict", judgeAgain: "Changer le verdict", withdraw: "Le retirer", judged: "Le verdict est enregistré ; les notes ont été recalculées.", withdrawn: "Le verdict est retiré ; les notes ont été recalculées.",
  verdictEffect: "Un faux positif n'entre dans aucune note, dès cet instant ; le retirer fait de nouveau compter l'incident.", verdictChoice: "Qu'est-ce ?",
};
