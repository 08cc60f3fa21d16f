import type { Words } from "./en";

export const help: Words["help"] = {
  title: "Aide", close: "Fermer", keys: "Touches", letters: "Les lettres et signes seuls agissent", words: "Mots",
  all: [
    [["/"], "à la recherche"],
    [["?"], "cette aide"],
    [["g", "o"], "à la situation"],
    [["g", "i"], "aux incidents"],
    [["g", "t"], "à la table en cours"],
    [["g", "f"], "aux flux et faits"],
    [["j"], "ligne suivante d'une liste"],
    [["k"], "ligne précédente"],
    [["Entrée"], "ouvrir la ligne"],
    [["x"], "marquer la ligne ou ôter la marque"],
    [["e"], "exporter ce qui est marqué (CSV)"],
    [["←", "→"], "un événement en arrière ou en avant dans la relecture ; l'onglet voisin"],
    [["Espace"], "lire ou arrêter, quand la relecture a le focus"],
  ],
  glossary: [
    ["Confiance", "1 à 99 : à quel point il est sûr que l'incident est ce qu'il est dit être. C'est la somme des poids sous Pourquoi."],
    ["Gravité", "0 à 100 : à quel point c'est grave si c'est vrai. L'une n'entre pas dans l'autre."],
    ["Point d'observation", "Un réseau (AS pair) qui dit à un collecteur, ou à nous, quelles routes il utilise."],
    ["Origine, annonceur, touché", "L'origine annonce un préfixe. « L'annonce » désigne qui fait ce dont parle l'incident, « touché » de qui c'est l'espace ou l'accès. Aucun des deux ne dit pourquoi."],
    ["Détournement de sous-préfixe", "Une partie du préfixe d'un autre est annoncée. Les routeurs préfèrent le préfixe plus long : le trafic y va."],
    ["Fuite de routes", "Un réseau transmet des routes à qui elles n'étaient pas destinées (RFC 7908)."],
    ["MOAS", "Un préfixe avec plusieurs origines à la fois ; c'est souvent voulu."],
    ["ROV", "Validation d'origine par la RPKI (RFC 6811) : valide, invalide, ou non trouvée quand aucune ROA ne couvre le préfixe."],
    ["ASPA", "Une liste signée des fournisseurs d'un AS ; les chemins qui la contredisent sont invalides."],
    ["Trou", "Un temps où un flux n'a rien dit. Ce qu'il aurait montré n'est pas connu, et dessiné ainsi."],
  ],
};
