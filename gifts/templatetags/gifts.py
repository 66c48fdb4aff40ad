"""`{{ amount|money }}`: an amount in the organization's currency."""

from django import template

from gifts.money import money

register = template.Library()
register.filter("money", money)
