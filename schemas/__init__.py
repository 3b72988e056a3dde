"""The messages of Datongguan: every fact and request, in the words of the glossary. This package imports no other
package of the project."""
