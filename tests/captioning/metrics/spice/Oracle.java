package edu.anu.spice;

import edu.cmu.meteor.aligner.SynonymDictionary;
import edu.cmu.meteor.util.Constants;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.TreeSet;

/**
 * Asks SPICE's own classes to merge and match given tuples, without its parser and so without its models.
 *
 * One question a line of the file args[0]. "synsets TAB phrase": the synset numbers, sorted. "match TAB candidate TAB
 * reference", each side tuples joined by ";;" with parts joined by "|": F, then true positives, false positives and
 * false negatives of all tuples, objects, attributes and relations.
 */
public class Oracle {
  static SceneGraph graph(SynonymDictionary synonyms, String tuples) {
    SceneGraph made = new SceneGraph(synonyms, true);
    for (String parts : tuples.split(";;")) {
      if (!parts.isEmpty()) made.addTuple(new ArrayList<>(Arrays.asList(parts.split("\\|"))));
    }
    return made;
  }

  public static void main(String[] args) throws Exception {
    String tables = Constants.DEFAULT_SYN_DIR_URL + "/english.";
    SynonymDictionary synonyms =
        new SynonymDictionary(new URL(tables + "exceptions"), new URL(tables + "synsets"), new URL(tables + "relations"));
    TupleFilter[] categories = {
      TupleFilter.noFilter, TupleFilter.objectFilter, TupleFilter.attributeFilter, TupleFilter.relationFilter
    };
    for (String line : Files.readAllLines(Path.of(args[0]))) {
      String[] fields = line.split("\t", -1);
      StringBuilder answer = new StringBuilder();
      if (fields[0].equals("synsets")) {
        for (int number : new TreeSet<>(new SceneGraph(synonyms, true).getSynSets(fields[1]))) answer.append(number + " ");
      } else {
        SceneGraph candidate = graph(synonyms, fields[1]), reference = graph(synonyms, fields[2]);
        answer.append(
            new Evaluation(new TupleSet(candidate), new TupleSet(reference), false, true).f);
        for (TupleFilter category : categories) {
          Evaluation found =
              new Evaluation(new TupleSet(candidate, category), new TupleSet(reference, category), false, true);
          answer.append(" " + found.tp + " " + found.fp + " " + found.fn);
        }
      }
      System.out.println(answer.toString().trim());
    }
  }
}
